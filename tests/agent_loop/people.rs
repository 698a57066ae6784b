//! People at the shell, and the agent that they talk to: orders, the probe, a reload by hand, a drill, a look at everything.

use crate::binary::{Running, config, dawnwatch, ended, text};
use crate::house::{chat, job};
use crate::peer::{PATIENCE, Peer, Then};
use dawnwatch::agent::clock::Clock;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::sync::mpsc;
use std::thread;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An agent with a page of its own, and a folder whose configuration says where that is.
struct Watch {
    folder: TempDir,
    port: u16,
    running: Running,
    config: String,
}

fn watch(jobs: &Peer) -> Watch {
    let (folder, config) = config(jobs.port);
    let config = config.replace("listen = \"off\"", "listen = \"127.0.0.1:0\"");
    std::fs::write(folder.path().join("dawnwatch.toml"), &config).unwrap();
    let mut running = Running(dawnwatch(&folder, &["run"]).spawn().unwrap());
    let mut out = BufReader::new(running.0.stdout.take().unwrap());
    let (told, lines) = mpsc::channel();
    thread::spawn(move || {
        let mut line = String::new();
        while out.read_line(&mut line).is_ok_and(|read| read > 0) {
            let _ = told.send(std::mem::take(&mut line));
        }
    });
    let ready = lines.recv_timeout(PATIENCE).unwrap();
    let port = ready.trim_end().trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap();
    let config = config.replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
    std::fs::write(folder.path().join("dawnwatch.toml"), &config).unwrap();
    Watch { folder, port, running, config }
}

impl Watch {
    async fn says(&self, args: &[&str]) -> (i32, String) {
        let output = ended(dawnwatch(&self.folder, args)).await;
        (output.status.code().unwrap(), text(&output.stdout) + &text(&output.stderr))
    }

    async fn reload(&self) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        stream.write_all(b"POST /-/reload HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    fn write(&self, config: &str) {
        std::fs::write(self.folder.path().join("dawnwatch.toml"), config).unwrap();
    }
}

#[tokio::test]
async fn orders_reach_the_agent_and_its_sentence_comes_back() {
    let jobs = Peer::jobs();
    let mut watch = watch(&jobs);
    let cases: [(&[&str], i32, &str); 5] = [
        (&["healthcheck"], 0, "is well"),
        (&["mute", "source", "jobs", "--for", "2h", "--reason", "moving", "--by", "kim"], 0, "source jobs is muted until"),
        (&["mute", "check", "nowhere", "--for", "2h", "--reason", "x", "--by", "kim"], 1, "there is no check nowhere"),
        (&["ack", "7", "--until", "23:59", "--reason", "on it", "--by", "kim"], 1, "there is no incident 7"),
        (&["snooze", "7", "--for", "2h", "--reason", "on it"], 2, "--by NAME"),
    ];
    for (args, code, said) in cases {
        let (ended, shown) = watch.says(args).await;
        assert!(ended == code && shown.contains(said), "{args:?}: {ended} {shown}");
    }
    watch.running.0.kill().unwrap();
    watch.running.0.wait().unwrap();
    for args in [&["healthcheck"][..], &["retire", "orders", "--reason", "gone", "--by", "kim"]] {
        let (ended, shown) = watch.says(args).await;
        assert!(ended == 3 && shown.contains("no agent answers at 127.0.0.1:") && shown.contains("is it running?"), "{shown}");
    }
    watch.write(&watch.config.replace(&format!("127.0.0.1:{}", watch.port), "off"));
    let (ended, shown) = watch.says(&["healthcheck"]).await;
    assert!(ended == 3 && shown.contains("\"off\""), "{shown}");
}

#[tokio::test]
async fn a_reload_by_hand_says_what_came_of_it() {
    let jobs = Peer::jobs();
    let watch = watch(&jobs);
    // Since its start the address has been written down, and the store has been moved.
    watch.write(&(watch.config.clone() + "[store]\npath = \"other.db\"\n"));
    let answer = watch.reload().await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("taken over: 1 source, 1 check"), "{answer}");
    assert!(answer.contains("[store] path and [web] listen have changed as well, which needs a restart"), "{answer}");
    watch.write(&watch.config.replace("ready_by", "redy_by"));
    let answer = watch.reload().await;
    assert!(answer.starts_with("HTTP/1.1 422") && answer.contains("dawnwatch.toml:") && answer.contains("redy_by"), "{answer}");
    assert_eq!(watch.says(&["healthcheck"]).await.0, 78);
    // Whoever knows the address can still ask: the agent itself is well.
    let address = format!("127.0.0.1:{}", watch.port);
    let (ended, said) = watch.says(&["healthcheck", "--address", &address, "--format", "json"]).await;
    assert_eq!((ended, said.trim_end()), (0, format!(r#"{{"at":"{address}","well":true,"why":null}}"#).as_str()));
}

#[tokio::test]
async fn a_drill_is_as_large_as_it_gets_and_asks_nobody() {
    let (mut team, mut hook) = (Peer::start(|_, _| Then::ok()), Peer::start(|_, _| Then::ok()));
    let (folder, mut config) = config(1);
    config += &chat("team", "slack", team.port, "language = \"ko\"\nmention = \"<!here>\"");
    config += &chat("hook", "webhook", hook.port, "");
    config += &chat("gone", "slack", 1, "");
    std::fs::write(folder.path().join("dawnwatch.toml"), config).unwrap();
    let output = ended(dawnwatch(&folder, &["drill", "team", "hook"])).await;
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(0), "chat hook: delivered\nchat team: delivered\n"));
    let told = team.next().await;
    assert!(told.body.contains("훈련") && !told.body.contains("<!here>") && told.body.len() > 2_500, "{}", told.body);
    let told = hook.next().await;
    assert!(told.body.contains("DRILL") && told.json()["asks"] == json!(false) && told.body.len() > 8_000, "{}", told.body);

    let output = ended(dawnwatch(&folder, &["drill", "gone"])).await;
    let said = text(&output.stdout);
    assert!(output.status.code() == Some(3) && said.starts_with("chat gone: ") && !said.contains("verysecret"), "{said}");
    let output = ended(dawnwatch(&folder, &["drill", "nobody"])).await;
    assert!(output.status.code() == Some(2) && text(&output.stderr).contains("there are gone, hook, team, terminal"));
    assert!(!folder.path().join("dawnwatch.db").exists(), "a drill leaves no trace");
    team.is_quiet();
    hook.is_quiet();
}

#[tokio::test]
async fn check_online_says_of_each_whether_it_can_be_reached() {
    let (jobs, mut team) = (Peer::jobs(), Peer::start(|_, _| Then::Answer(404, String::new())));
    jobs.say(&json!({"jobs": [job("orders", "success", Clock::real().now())]}).to_string());
    let (folder, fine) = config(jobs.port);
    let fine = fine + &chat("team", "slack", team.port, "");
    let cases = [
        (fine.clone(), 0, "source jobs: answers, and knows 1 check"),
        (fine.clone() + "[checks.clicks]\nsource = \"jobs\"\n", 1, "source jobs: answers, but does not know clicks"),
        (fine.replace(&format!("127.0.0.1:{}/jobs", jobs.port), "127.0.0.1:1/jobs"), 3, "source jobs: no connection to"),
        (fine.clone() + &chat("gone", "slack", 1, ""), 3, "chat gone: "),
    ];
    for (config, code, said) in cases {
        std::fs::write(folder.path().join("dawnwatch.toml"), config).unwrap();
        let output = ended(dawnwatch(&folder, &["check", "--online"])).await;
        let shown = text(&output.stdout);
        assert!(output.status.code() == Some(code) && shown.contains(said), "{shown}{}", text(&output.stderr));
        assert!(shown.contains("chat team: its host can be reached") && !shown.contains("verysecret"), "{shown}");
        // Nothing is posted, and the address's own path stays unsaid.
        assert!(team.next().await.head.starts_with("head / http/1.1\r\n"));
    }
    let output = ended(dawnwatch(&folder, &["check", "--online", "--format", "json"])).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["online"][0], json!({"what": "source jobs", "ok": true, "said": "answers, and knows 1 check"}));
}

#[tokio::test]
async fn check_online_takes_no_refusal_for_an_answer_and_no_forgetting_for_trouble() {
    let (jobs, luigi) = (Peer::jobs(), Peer::start(|_, _| Then::Answer(200, r#"{"response": {}}"#.to_owned())));
    jobs.say(&json!({"jobs": [job("orders", "success", Clock::real().now())]}).to_string());
    let (folder, fine) = config(jobs.port);
    let idle = format!(
        "[sources.luigi]\nkind = \"luigi\"\nurl = \"http://127.0.0.1:{}\"\n\
         [checks.loads]\nsource = \"luigi\"\n[checks.sales]\nsource = \"luigi\"\n",
        luigi.port
    );
    // No file system takes such a name: also for root, whom no permission keeps out, it cannot be read.
    let unreadable = format!(
        "[sources.drop]\nkind = \"file\"\nroot = \".\"\n[checks.clicks]\nsource = \"drop\"\npath = \"{}\"\n",
        "x".repeat(300)
    );
    let normal = "source luigi: answers, and has not heard of loads, sales lately, which is normal where the names are right: \
                  it forgets what is done\n";
    let broken = "source drop: answers, but cannot tell about clicks (cannot be read (invalid filename): xxx";
    for (config, code, said) in [(fine.clone() + &idle, 0, normal), (fine.clone() + &idle + &unreadable, 1, broken)] {
        std::fs::write(folder.path().join("dawnwatch.toml"), config).unwrap();
        let output = ended(dawnwatch(&folder, &["check", "--online"])).await;
        let shown = text(&output.stdout);
        assert!(output.status.code() == Some(code) && shown.contains(said), "{shown}{}", text(&output.stderr));
    }
}

#[tokio::test]
async fn check_online_in_json_says_why_nobody_could_be_asked() {
    let (folder, fine) = config(1);
    let secret = chat("team", "slack", 1, "").replace("value = \"http://127.0.0.1:1/hook/verysecret\"", "env = \"NOWHERE\"");
    std::fs::write(folder.path().join("dawnwatch.toml"), fine + &secret).unwrap();
    let output = ended(dawnwatch(&folder, &["check", "--online", "--format", "json"])).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &report["errors"]), (Some(78), &json!([])));
    assert_eq!(report["error"], "chat team: environment variable NOWHERE is not set");
}
