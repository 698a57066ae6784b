//! A canary in every secret field, peers that echo all that they are told and fail in every way, everything logged: no canary may be
//! found in what dawnwatch says, shows, stores or sends, in whatever form. Once for each way to give a secret.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use chrono::Timelike;
use dawnwatch::agent::clock::Clock;
use serde_json::json;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// The longest wait for anything that has to happen.
const PATIENCE: Duration = Duration::from_secs(60);
/// More than the agent asks in so short a time.
const REQUESTS_MAX: usize = 2_000;
/// Secrets that are no address: their letters change in every encoding.
const PLAIN: [&str; 5] = ["password", "token", "apikey", "webtoken", "signature"];
/// Addresses: their path is the secret.
const ADDRESSES: [&str; 3] = ["slack", "webhook", "heartbeat"];

fn canary(name: &str) -> String {
    let tail = if ADDRESSES.contains(&name) { "Zx9-q" } else { "Zx9+/=&q" };
    format!("canary-{name}-{tail}")
}

/// What a peer has read: who it is, and the request.
struct Heard {
    peer: &'static str,
    head: String,
    body: String,
}

/// Answers on loopback, as `answer` says of the nth request. Ends with the test's process.
fn peer(name: &'static str, heard: &Sender<Heard>, answer: impl Fn(usize, &Heard) -> Vec<u8> + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = heard.clone();
    thread::spawn(move || {
        for (nth, stream) in listener.incoming().enumerate() {
            let Ok(mut stream) = stream else { continue };
            let Some((head, body)) = read(&mut stream) else { continue };
            let request = Heard { peer: name, head, body };
            let _ = stream.write_all(&answer(nth, &request));
            let _ = heard.send(request);
        }
    });
    port
}

fn read(stream: &mut TcpStream) -> Option<(String, String)> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let lower = head.to_lowercase();
            let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            if body.len() >= length {
                return Some((head.to_owned(), body.to_owned()));
            }
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk) {
            Ok(read @ 1..) => bytes.extend_from_slice(&chunk[..read]),
            _ => return None,
        }
    }
}

fn reply(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} .\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}").into_bytes()
}

/// Every way to fail, with all that was said in the answer.
fn failing(nth: usize, request: &Heard) -> Vec<u8> {
    let echo = format!("{}\n{}", request.head, request.body);
    let line = echo.split_whitespace().collect::<Vec<_>>().join(" ");
    let detail = json!({ "detail": line, "error": line, "message": line }).to_string();
    let path = request.head.split_whitespace().nth(1).unwrap_or("/");
    match nth % 10 {
        0 => reply(500, "content-type: application/json\r\n", &detail),
        1 => reply(403, "content-type: application/json\r\n", &detail),
        2 => reply(200, &format!("content-type: {line}\r\n"), &line),
        3 => reply(302, &format!("location: http://127.0.0.1:1{path}\r\n"), &echo),
        4 => reply(401, "content-type: text/html\r\n", &format!("<html>{line}</html>")),
        5 => format!("HTTP/1.1 {line}\r\n\r\n").into_bytes(),
        6 => reply(429, &format!("retry-after: {line}\r\ncontent-type: application/json\r\n"), &detail),
        7 => Vec::new(),
        8 => reply(302, &format!("location: {path}?again\r\n"), &echo),
        _ => reply(422, "content-type: application/json\r\n", &json!({ "detail": [{ "msg": line, "input": line }] }).to_string()),
    }
}

/// Logs in whoever asks, with a token that echoes the login, and fails otherwise.
fn airflow(nth: usize, request: &Heard) -> Vec<u8> {
    if request.head.starts_with("POST /auth/token") && nth.is_multiple_of(2) {
        let token = format!("eyJhbGciOiJIUzI1NiJ9.{}.c2ln", STANDARD.encode(&request.body).trim_end_matches('='));
        return reply(201, "content-type: application/json\r\n", &json!({ "access_token": token }).to_string());
    }
    failing(nth / 2, request)
}

/// A job that failed for a reason that quotes the whole question, and then every other way to fail.
fn jobs(nth: usize, request: &Heard) -> Vec<u8> {
    let echo = request.head.split_whitespace().collect::<Vec<_>>().join(" ");
    let now = Clock::real().now().to_rfc3339();
    let job =
        |state: &str| json!({ "jobs": [{ "name": "orders", "state": state, "started": now, "ended": now, "message": echo }] });
    match nth % 4 {
        0 | 1 => reply(200, "content-type: application/json\r\n", &job("failed").to_string()),
        2 => reply(200, "content-type: application/json\r\n", &job(&echo).to_string()),
        _ => failing(nth / 4, request),
    }
}

/// Gives every secret in one way: `of` writes the reference of a name.
fn config(ports: &dyn Fn(&str) -> u16, of: &dyn Fn(&str) -> String) -> String {
    // A zone in which it is noon now: the deadline lies ahead, and no quiet hours are near.
    let ahead = 12 - i64::from(Clock::real().now().hour());
    let zone = format!("Etc/GMT{:+}", -ahead).replace("+0", "");
    let of = |name: &str| of(name);
    format!(
        r#"timezone = "{zone}"
tell = ["slack", "webhook"]
[web]
listen = "127.0.0.1:0"
token = {webtoken}
[heartbeat]
url = {heartbeat}
every = "30s"
[sources.airflow]
kind = "airflow"
url = "http://127.0.0.1:{airflow}"
username = "watch"
password = {password}
every = "1s"
[sources.airflow_token]
kind = "airflow"
url = "http://127.0.0.1:{airflow_token}"
token = {token}
every = "1s"
[sources.jobs]
kind = "http"
url = "http://127.0.0.1:{jobs}/jobs"
headers = {{ x-api-key = {apikey} }}
items = "$.jobs[*]"
id = "$.name"
state = "$.state"
started_at = "$.started"
ended_at = "$.ended"
error = "$.message"
every = "1s"
[groups.all]
source = "airflow"
match = {{ ids = ["*"] }}
[groups.some]
source = "airflow_token"
match = {{ tags = ["mart"] }}
[checks.orders]
source = "jobs"
[checks.daily]
source = "airflow"
[checks.weekly]
source = "airflow_token"
[dashboards.exec]
needs = ["orders", "daily", "weekly", "group:all", "group:some"]
ready_by = "14:00"
[chats.slack]
kind = "slack"
url = {slack}
fallback = "webhook"
[chats.webhook]
kind = "webhook"
url = {webhook}
secret = {signature}
[digests.now]
at = "06:30"
to = ["slack", "webhook"]
"#,
        webtoken = of("webtoken"),
        heartbeat = of("heartbeat"),
        airflow = ports("airflow"),
        password = of("password"),
        airflow_token = ports("airflow_token"),
        token = of("token"),
        jobs = ports("jobs"),
        apikey = of("apikey"),
        slack = of("slack"),
        webhook = of("webhook"),
        signature = of("signature"),
    )
}

#[derive(Clone, Copy)]
enum By {
    Env,
    File,
    Value,
}

struct House {
    folder: TempDir,
    environment: Vec<(String, String)>,
    heard: Receiver<Heard>,
}

impl House {
    /// `config` is given the ports of the peers by name, and the reference to a secret by its own.
    fn new(by: By, config: impl Fn(&dyn Fn(&str) -> u16, &dyn Fn(&str) -> String) -> String) -> Self {
        let (sender, heard) = channel();
        let ports = [
            ("airflow", peer("airflow", &sender, airflow)),
            ("airflow_token", peer("airflow_token", &sender, failing)),
            ("jobs", peer("jobs", &sender, jobs)),
            ("slack", peer("slack", &sender, failing)),
            ("webhook", peer("webhook", &sender, failing)),
            ("heartbeat", peer("heartbeat", &sender, |nth, request| failing([8, 0][nth % 2], request))),
        ];
        let port = |name: &str| ports.iter().find(|(known, _)| *known == name).unwrap().1;
        let folder = TempDir::new().unwrap();
        let secret = |name: &str| match ADDRESSES.contains(&name) {
            true => format!("http://127.0.0.1:{}/hook/{}", port(name), canary(name)),
            false => canary(name),
        };
        let mut environment = vec![("RUST_LOG".to_owned(), "trace".to_owned())];
        for name in PLAIN.iter().chain(&ADDRESSES) {
            match by {
                By::Env => environment.push((format!("CANARY_{}", name.to_uppercase()), secret(name))),
                By::File => fs::write(folder.path().join(format!("{name}.secret")), secret(name) + "\n").unwrap(),
                By::Value => {}
            }
        }
        let reference = |name: &str| match by {
            By::Env => format!("{{ env = \"CANARY_{}\" }}", name.to_uppercase()),
            By::File => format!("{{ file = \"{name}.secret\" }}"),
            By::Value => format!("{{ value = \"{}\" }}", secret(name)),
        };
        fs::create_dir(folder.path().join("config")).unwrap();
        let config = config(&port, &reference).replace("file = \"", "file = \"../");
        fs::write(folder.path().join("config/dawnwatch.toml"), config).unwrap();
        Self { folder, environment, heard }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Both streams go into files: a trace would fill a pipe that nobody reads.
    fn start(&self, name: &str, args: &[&str]) -> Child {
        let out = File::create(self.path(&format!("{name}.out"))).unwrap();
        let err = File::create(self.path(&format!("{name}.err"))).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_dawnwatch"));
        command.args(args).arg("--config").arg(self.path("config")).env_clear().envs(self.environment.iter().cloned());
        let out = if name == "run" { Stdio::piped() } else { out.into() };
        command.stdin(Stdio::null()).stdout(out).stderr(err).spawn().unwrap()
    }

    fn said(&self, name: &str) -> String {
        let text = |end: &str| String::from_utf8_lossy(&fs::read(self.path(&format!("{name}.{end}"))).unwrap()).into_owned();
        text("out") + &text("err")
    }
}

/// Asks the status page.
fn page(port: u16, path: &str, token: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Every form in which a canary may show.
fn forms(secret: &str) -> Vec<String> {
    let percent = |text: &str| text.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D").replace('&', "%26");
    let mut forms = vec![secret.to_owned(), percent(secret), secret.replace('/', "\\/"), secret.replace('&', "&amp;")];
    for before in 0..3 {
        let shifted = [&[0; 3][..before], secret.as_bytes()].concat();
        let (first, whole) = ([0, 2, 3][before], shifted.len() / 3 * 4);
        forms.extend([STANDARD, URL_SAFE].map(|engine| engine.encode(&shifted)[first..whole].to_owned()));
    }
    // What is cut somewhere shows its beginning.
    forms.push(secret[..secret.len() - 5].to_owned());
    forms
}

fn found(what: &str, text: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(text).to_lowercase();
    let names = PLAIN.iter().chain(&ADDRESSES);
    let shown = names.flat_map(|name| forms(&canary(name)).into_iter().map(move |form| (name, form)));
    shown.filter(|(_, form)| text.contains(&form.to_lowercase())).map(|(name, form)| format!("{what}: {name} as {form}")).collect()
}

/// What the agent says on standard output: its first line, from which the status page's port, and in the end the rest.
fn listen(run: &mut Child) -> (u16, Receiver<String>) {
    let mut out = BufReader::new(run.stdout.take().unwrap());
    let (told, lines) = channel();
    thread::spawn(move || {
        let (mut first, mut rest) = (String::new(), String::new());
        out.read_line(&mut first).unwrap();
        told.send(first).unwrap();
        out.read_to_string(&mut rest).unwrap();
        told.send(rest).unwrap();
    });
    let first = lines.recv_timeout(PATIENCE).unwrap();
    let port = first.split_once("status page http://127.0.0.1:").and_then(|(_, rest)| rest.split_once('/')?.0.parse().ok());
    (port.unwrap_or_else(|| panic!("the agent does not watch: {first}")), lines)
}

fn no_canary_sings(by: By) {
    let house = House::new(by, config);
    let mut leaks = Vec::new();
    for (name, args) in [("check", &["check"][..]), ("once", &["once", "--post"]), ("json", &["once", "--format", "json"])] {
        let code = house.start(name, args).wait().unwrap().code();
        assert!(matches!(code, Some(0 | 1 | 3)), "{name}: {code:?}\n{}", house.said(name));
        leaks.extend(found(name, house.said(name).as_bytes()));
    }
    let mut run = house.start("run", &["run", "--log-format", "json"]);
    let (port, lines) = listen(&mut run);
    let pages = |leaks: &mut Vec<String>| {
        for path in ["/", "/metrics", "/healthz", "/readyz", "/nowhere"] {
            for token in [canary("webtoken"), "wrong".to_owned()] {
                leaks.extend(found(path, page(port, path, &token).as_bytes()));
            }
        }
    };
    pages(&mut leaks);
    // Each source has failed in each of its ways, and each chat was told and failed.
    let enough = [("airflow", 18), ("airflow_token", 9), ("jobs", 8), ("slack", 2), ("webhook", 3)];
    let mut counts = enough.map(|(peer, _)| (peer, 0_usize));
    let (mut bodies, mut sent) = (String::new(), String::new());
    let lacking = |counts: &[(&str, usize)]| counts.iter().zip(enough).any(|((_, had), (_, wanted))| *had < wanted);
    for _ in 0..REQUESTS_MAX {
        if !lacking(&counts) {
            break;
        }
        let Ok(heard) = house.heard.recv_timeout(PATIENCE) else { break };
        counts.iter_mut().filter(|(peer, _)| *peer == heard.peer).for_each(|(_, count)| *count += 1);
        sent += &format!("{}\n{}\n", heard.head, heard.body);
        if ADDRESSES.contains(&heard.peer) {
            bodies += &heard.body;
        }
    }
    pages(&mut leaks);
    let ended = Command::new("sh").arg("-c").arg(format!("kill -TERM {}", run.id())).status().unwrap();
    assert!(ended.success() && run.wait().unwrap().success(), "{}", house.said("run"));

    assert!(!lacking(&counts), "{counts:?} of {enough:?}\n{}", house.said("run"));
    leaks.extend(found("output of run", lines.recv_timeout(PATIENCE).unwrap().as_bytes()));
    // The eyes of this test: the canaries did go out, and the chats were told of what the job said.
    for name in ["password", "token", "apikey", "slack", "webhook"] {
        assert!(sent.contains(&canary(name)), "{name} was never used");
    }
    assert!(bodies.contains("orders"), "{bodies}");

    assert!(house.said("run").contains("\"TRACE\""), "not everything was logged");
    leaks.extend(found("run", house.said("run").as_bytes()));
    leaks.extend(found("messages", bodies.as_bytes()));
    for file in ["dawnwatch.db", "dawnwatch.db-wal", "dawnwatch.db-shm"] {
        leaks.extend(found(file, &fs::read(house.path("config").join(file)).unwrap_or_default()));
    }
    let stored = fs::read(house.path("config/dawnwatch.db")).unwrap();
    assert!(String::from_utf8_lossy(&stored).contains("orders"));
    assert!(leaks.is_empty(), "{leaks:#?}");
}

#[test]
fn no_secret_of_the_environment_leaves() {
    no_canary_sings(By::Env);
}

#[test]
fn no_secret_of_a_file_leaves() {
    no_canary_sings(By::File);
}

#[test]
fn no_secret_of_the_configuration_leaves() {
    no_canary_sings(By::Value);
}

/// The proof of life goes out where all is well, so it gets a house of its own in which nothing can fail but itself.
#[test]
fn the_address_of_the_heartbeat_does_not_leave() {
    for by in [By::Env, By::File, By::Value] {
        let house = House::new(by, |_, of| {
            format!(
                "timezone = \"UTC\"\n[web]\nlisten = \"127.0.0.1:0\"\n[heartbeat]\nurl = {}\nevery = \"30s\"\n",
                of("heartbeat")
            )
        });
        let mut run = house.start("run", &["run"]);
        let (port, lines) = listen(&mut run);
        // Sent on within its host, and then failed.
        let heads: Vec<String> = (0..2).map(|_| house.heard.recv_timeout(PATIENCE).unwrap().head).collect();
        assert!(heads.iter().all(|head| head.contains(&canary("heartbeat"))), "{heads:?}");
        let mut leaks = found("/", page(port, "/", "").as_bytes());
        let ended = Command::new("sh").arg("-c").arg(format!("kill -TERM {}", run.id())).status().unwrap();
        assert!(ended.success() && run.wait().unwrap().success(), "{}", house.said("run"));
        leaks.extend(found("run", (lines.recv_timeout(PATIENCE).unwrap() + &house.said("run")).as_bytes()));
        leaks.extend(found("store", &fs::read(house.path("config/dawnwatch.db")).unwrap()));
        assert!(leaks.is_empty(), "{leaks:#?}");
    }
}

#[test]
fn the_forms_are_seen() {
    let secret = canary("password");
    for text in [
        format!("Bearer {}", secret.to_uppercase()),
        STANDARD.encode(format!("watch:{secret}")),
        STANDARD.encode(format!("x:{secret}:y")),
        format!("?key={}", secret.replace('+', "%2b").replace('/', "%2f").replace('=', "%3d").replace('&', "%26")),
        secret[..secret.len() - 4].to_owned(),
    ] {
        assert!(!found("text", text.as_bytes()).is_empty(), "{text}");
    }
    assert!(found("text", b"canary-pass and canary-other-Zx9").is_empty());
}
