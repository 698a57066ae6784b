//! The local chat of the demo: takes Slack's webhook payloads as Slack does, and shows them on one page.
//!
//! Keeps the last messages in memory and nothing else; loads nothing from anywhere.

use super::blocks::{self, Block};
use super::night::ZONE;
use crate::agent::clock::Clock;
use crate::core::plan::Language;
use crate::core::time::Instant;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

/// The most messages that the page keeps, and that wait to be read by the command.
pub const KEPT: usize = 200;
/// The most bytes of a payload. Slack's own limits stay far below.
const BODY_MAX: usize = 256 * 1024;

/// A message as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// On the played clock.
    pub at: Instant,
    /// What a lock screen shows.
    pub preview: String,
    /// Does it mention somebody?
    pub asks: bool,
    pub blocks: Vec<Block>,
}

impl Posted {
    /// The whole message for a terminal.
    pub fn plain(&self) -> String {
        blocks::plain(&self.blocks)
    }
}

struct Chat {
    clock: Clock,
    language: Language,
    kept: Mutex<VecDeque<Posted>>,
    told: mpsc::Sender<Posted>,
}

/// The chat, and the receiver of its messages. A receiver that does not read loses messages past [`KEPT`]; the page has them.
pub fn router(clock: Clock, language: Language) -> (Router, mpsc::Receiver<Posted>) {
    let (told, messages) = mpsc::channel(KEPT);
    let chat = Arc::new(Chat { clock, language, kept: Mutex::default(), told });
    let router = Router::new()
        .route("/services/{*hook}", post(take))
        .route("/", get(page))
        .route("/feed", get(feed))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(chat);
    (router, messages)
}

/// Slack's answers: `ok`, or 400 with one word (docs.slack.dev, "Sending messages using incoming webhooks").
async fn take(State(chat): State<Arc<Chat>>, body: Bytes) -> (StatusCode, &'static str) {
    let Ok(payload @ Value::Object(_)) = serde_json::from_slice::<Value>(&body) else {
        return (StatusCode::BAD_REQUEST, "invalid_payload");
    };
    let blocks = blocks::read(&payload);
    if blocks.is_empty() {
        return (StatusCode::BAD_REQUEST, "no_text");
    }
    let preview = payload["text"].as_str().map_or_else(|| blocks::plain(&blocks[..1]), blocks::plain_text);
    let preview: String = preview.chars().filter(|c| !c.is_control()).collect();
    let asks = blocks::mentions(&blocks);
    let posted = Posted { at: chat.clock.now(), preview, asks, blocks };
    let mut kept = chat.kept.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() == KEPT {
        kept.pop_front();
    }
    kept.push_back(posted.clone());
    // Nobody has to listen.
    let _ = chat.told.try_send(posted);
    (StatusCode::OK, "ok")
}

async fn page(State(chat): State<Arc<Chat>>) -> impl IntoResponse {
    const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'";
    let html = PAGE.replace("{lang}", words(chat.language).lang).replace("{feed}", &render(&chat));
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(html))
}

/// What changes on the page.
async fn feed(State(chat): State<Arc<Chat>>) -> Html<String> {
    Html(render(&chat))
}

struct Words {
    lang: &'static str,
    nothing: &'static str,
    asks: &'static str,
}

fn words(language: Language) -> Words {
    match language {
        Language::En => Words { lang: "en", nothing: "Nothing has been said yet.", asks: "asks a person" },
        Language::Ko => Words { lang: "ko", nothing: "아직 아무 말도 하지 않았습니다.", asks: "사람을 부름" },
    }
}

fn render(chat: &Chat) -> String {
    let words = words(chat.language);
    let clock = |at: Instant, format: &str| at.with_timezone(&ZONE).format(format).to_string();
    let kept = chat.kept.lock().unwrap_or_else(PoisonError::into_inner);
    let mut out = format!("<header><b>#data-oncall</b> <time>{}</time></header>", clock(chat.clock.now(), "%Y-%m-%d %H:%M KST"));
    if kept.is_empty() {
        out.push_str(&format!("<p class=context>{}</p>", words.nothing));
    }
    for posted in kept.iter() {
        let (class, badge) = if posted.asks { (" class=asks", format!(" · {}", words.asks)) } else { ("", String::new()) };
        let body = blocks::html(&posted.blocks);
        out.push_str(&format!("<article{class}><small>dawnwatch {}{badge}</small>{body}</article>", clock(posted.at, "%H:%M")));
    }
    out
}

const PAGE: &str = r#"<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>dawnwatch demo</title>
<noscript><meta http-equiv="refresh" content="2"></noscript>
<style>
:root{color-scheme:light dark;--ground:#f4f4f1;--paper:#fff;--ink:#1d1c1d;--soft:#616061;--line:#ddd;--call:#b45309;--mark:#fdeeb5}
@media(prefers-color-scheme:dark){:root{--ground:#17181b;--paper:#212327;--ink:#e6e6e6;--soft:#a3a5a8;--line:#3a3d42;--call:#f0a94a;--mark:#5a4a15}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
main{max-width:44rem;margin:0 auto;padding:0 .75rem 2rem}
header{position:sticky;top:0;padding:.75rem 0;background:var(--ground);display:flex;justify-content:space-between}
article{background:var(--paper);border:1px solid var(--line);border-radius:.5rem;padding:.75rem 1rem;margin:0 0 .75rem}
article.asks{border-left:4px solid var(--call)}
small,.context{color:var(--soft);font-size:.85rem}
.asks small{color:var(--call)}
h2{font-size:1.05rem;margin:.25rem 0}
p{margin:.4rem 0}
.fields{display:grid;grid-template-columns:repeat(auto-fit,minmax(14rem,1fr));gap:.4rem 1rem;margin:.5rem 0}
mark{background:var(--mark);color:inherit;border-radius:.2rem;padding:0 .2rem}
a{color:inherit}
.button{display:inline-block;border:1px solid var(--line);border-radius:.35rem;padding:.25rem .7rem;margin:.2rem .4rem .2rem 0;text-decoration:none}
</style></head><body><main>{feed}</main>
<script>
setInterval(async()=>{try{const answer=await fetch('feed');if(!answer.ok)return;
const end=innerHeight+scrollY>=document.body.scrollHeight-40,main=document.querySelector('main'),html=await answer.text();
if(main.innerHTML!==html){main.innerHTML=html;if(end)scrollTo(0,document.body.scrollHeight)}}catch{}},700)
</script></body></html>
"#;
