//! Writes every sample message as a chat would get it into a folder: `NAME.LANG.slack.json`, `.webhook.json` and `.txt`.
//!
//! For eyes, and for validators that know the platforms better than our own tests do: `cargo run --example payloads -- DIR`.

#[path = "../tests/support/messages.rs"]
mod messages;

use dawnwatch::config::wiring::{Address, ChatWiring};
use dawnwatch::core::plan::{Chat, Id, Language};
use dawnwatch::sinks::Sink;
use std::path::PathBuf;
use std::{env, fs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(env::args().nth(1).ok_or("usage: payloads DIR")?);
    fs::create_dir_all(&folder)?;
    let url = || -> Result<Address, url::ParseError> { Ok(Address::Plain("http://127.0.0.1:9/".parse()?)) };
    let timeout = chrono::TimeDelta::seconds(1);
    let id = Id::from("sample");
    let sinks = [
        ("slack.json", Sink::build(&id, &ChatWiring::Slack { url: url()?, timeout, ca_file: None })?),
        ("webhook.json", Sink::build(&id, &ChatWiring::Webhook { url: url()?, secret: None, timeout, ca_file: None })?),
        ("txt", Sink::build(&id, &ChatWiring::Console)?),
    ];
    for (name, message) in messages::samples() {
        for (suffix, language) in [("en", Language::En), ("ko", Language::Ko)] {
            let mention = Some("<!subteam^S0123ABCD>".to_owned());
            let chat = Chat { language, quiet: None, quiet_days: None, mention, fallback: None, idempotent: false };
            for (kind, sink) in &sinks {
                let payload = sink.render(&message, &chat, "sample");
                fs::write(folder.join(format!("{name}.{suffix}.{kind}")), payload.body)?;
            }
        }
    }
    Ok(())
}
