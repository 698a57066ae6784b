//! The binary under a supervisor: what it says on the socket that systemd would listen at.

use crate::binary::{Running, config, dawnwatch};
use crate::house::job;
use crate::peer::{PATIENCE, Peer};
use dawnwatch::agent::clock::Clock;
use serde_json::json;
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

/// Half a second between two feeds.
const WATCHDOG_USEC: &str = "1500000";

struct Supervisor {
    socket: UnixDatagram,
}

impl Supervisor {
    /// The next message that has this in it.
    fn hears(&self, what: &str) -> String {
        // The watchdog is fed on and on; so many are half a minute of it.
        let mut messages = (0..60).map(|_| self.next(PATIENCE).unwrap_or_else(|| panic!("no {what}")));
        messages.find(|message| message.contains(what)).unwrap_or_else(|| panic!("no {what} among many"))
    }

    fn next(&self, patience: Duration) -> Option<String> {
        self.socket.set_read_timeout(Some(patience)).unwrap();
        let mut bytes = [0; 4096];
        let read = self.socket.recv(&mut bytes).ok()?;
        Some(String::from_utf8(bytes[..read].to_vec()).unwrap())
    }
}

fn signal(name: &str, running: &Running) {
    let kill = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", running.0.id())).status().unwrap();
    assert!(kill.success());
}

fn story() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let jobs = runtime.block_on(async { Peer::jobs() });
    jobs.say(&json!({"jobs": [job("orders", "success", Clock::real().now())]}).to_string());
    let (folder, good) = config(jobs.port);
    let path = folder.path().join("notify");
    let supervisor = Supervisor { socket: UnixDatagram::bind(&path).unwrap() };
    let mut command = dawnwatch(&folder, &["run"]);
    let mut running = Running(command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", WATCHDOG_USEC).spawn().unwrap());
    supervisor.hears("READY=1");
    supervisor.hears("STATUS=0 of 1 dashboards in trouble, 0 open incidents");
    for _ in 0..3 {
        supervisor.hears("WATCHDOG=1");
    }

    let bad = good.replace("ready_by", "redy_by");
    for (config, refused) in [(&bad, true), (&good, false)] {
        std::fs::write(folder.path().join("dawnwatch.toml"), config).unwrap();
        signal("HUP", &running);
        assert!(supervisor.hears("RELOADING=1").contains("MONOTONIC_USEC="));
        let status = loop {
            let message = supervisor.next(PATIENCE).unwrap();
            if message.starts_with("STATUS=") {
                break message;
            }
        };
        assert_eq!(status.contains("the newest configuration was refused"), refused, "{status}");
    }

    // A store that takes nothing: the watchdog starves, and is fed again once it works.
    let meddle = |sql: &'static str| {
        runtime.block_on(async {
            let store = SqliteConnectOptions::new().filename(folder.path().join("dawnwatch.db"));
            let mut connection = store.connect().await.unwrap();
            sqlx::query(sql).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        });
    };
    meddle("CREATE TRIGGER trouble BEFORE INSERT ON rows BEGIN SELECT RAISE(FAIL, 'no more room'); END");
    // A refusal is to be written down.
    std::fs::write(folder.path().join("dawnwatch.toml"), &bad).unwrap();
    signal("HUP", &running);
    supervisor.hears("no more room");
    while let Some(message) = supervisor.next(Duration::from_millis(1_200)) {
        assert!(!message.contains("WATCHDOG=1"), "{message}");
    }
    meddle("DROP TRIGGER trouble");
    supervisor.hears("WATCHDOG=1");

    signal("TERM", &running);
    supervisor.hears("STOPPING=1");
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
}

#[tokio::test]
async fn a_supervisor_hears_how_it_stands_and_the_watchdog_is_fed_by_progress_alone() {
    tokio::task::spawn_blocking(story).await.unwrap();
}
