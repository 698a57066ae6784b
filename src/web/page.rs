//! The status page: one self-contained HTML document without scripts, for a phone in bed. Pure: a snapshot in, text out.
//!
//! All text from outside goes through [`Plain`]; nothing else may put a value into the markup.

use super::snapshot::{ChatLine, DashboardLine, HeartbeatLine, IncidentLine, Snapshot, SourceLine};
use crate::core::state::Verdict;
use crate::core::time::Instant;
use chrono_tz::Tz;
use std::cmp::Reverse;
use std::fmt::{self, Display, Write};

/// Nothing may be loaded, sent or framed, should markup ever slip through.
pub(super) const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The most lines of one list; what is worst comes first.
const LINES: usize = 200;

const STYLE: &str = "
:root{color-scheme:light dark;--bg:#fafaf8;--fg:#1c1c1a;--dim:#66665f;--line:#deded8;--good:#1a7f37;--warn:#9a5b00;--bad:#c0212b}
@media(prefers-color-scheme:dark){:root{--bg:#16171a;--fg:#ececea;--dim:#9d9d96;--line:#33353a;--good:#57c877;--warn:#e3a341;--bad:#ff7b72}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:46rem;padding:1rem;background:var(--bg);color:var(--fg);font:16px/1.45 system-ui,sans-serif}
h1{font-size:1.35rem;margin:.25rem 0;overflow-wrap:anywhere}
h2{font-size:.85rem;margin:1.75rem 0 .25rem;color:var(--dim);text-transform:uppercase;letter-spacing:.05em}
p{margin:.25rem 0}
ul{list-style:none;margin:0;padding:0}
li{padding:.55rem 0;border-top:1px solid var(--line);overflow-wrap:anywhere}
b{font-weight:600}
.v{float:right;margin-left:.75rem;font-weight:600;white-space:nowrap}
.d{display:block;color:var(--dim);font-size:.9rem}
.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}.dim{color:var(--dim)}
.alarm{border:2px solid var(--bad);border-radius:.4rem;padding:.6rem .75rem;margin:.75rem 0}
footer{margin-top:2rem;color:var(--dim);font-size:.85rem}
";

/// `trouble`: why the watch itself cannot be relied on.
pub(super) fn render(snapshot: &Snapshot, trouble: Option<&str>) -> String {
    let mut html = String::with_capacity(16 * 1024);
    // Writing into a string cannot fail.
    let _ = document(&mut html, snapshot, trouble);
    html
}

fn document(html: &mut String, snapshot: &Snapshot, trouble: Option<&str>) -> fmt::Result {
    let zone = snapshot.zone;
    let (class, headline) = headline(snapshot, trouble);
    write!(
        html,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta http-equiv=\"refresh\" content=\"30\"><title>{0} · dawnwatch</title><style>{STYLE}</style></head><body><main>\
         <h1 class=\"{class}\">{0}</h1><p class=\"dim\">as of {1}</p>",
        Plain(&headline),
        When(snapshot.at, zone)
    )?;
    if let Some(trouble) = trouble {
        write!(html, "<p class=\"alarm\"><b>{}</b><br>What stands below may be out of date.</p>", Plain(trouble))?;
    }
    if let Some(why) = &snapshot.config_refused {
        let head = "The newest configuration was refused, the one before it is in force";
        write!(html, "<p class=\"alarm\"><b>{head}</b><br>{}</p>", Plain(why))?;
    }
    if !snapshot.ready {
        html.push_str("<p class=\"alarm\">Not every source has been asked yet.</p>");
    }
    let mut dashboards: Vec<_> = snapshot.dashboards.iter().collect();
    dashboards.sort_by_key(|d| (Reverse(d.verdict.is_trouble().then_some(d.verdict)), d.deadline));
    list(html, "Dashboards", "No cycle is open.", &dashboards, |html, line| dashboard(html, line, zone))?;
    let mut incidents: Vec<_> = snapshot.incidents.iter().collect();
    incidents.sort_by_key(|i| (i.recovering, Reverse(i.verdict), i.since));
    list(html, "Open incidents", "None.", &incidents, |html, line| incident(html, line, zone))?;
    let mut sources: Vec<_> = snapshot.sources.iter().collect();
    sources.sort_by_key(|s| s.dark_since.is_none());
    list(html, "Sources", "None.", &sources, |html, line| source(html, line, zone))?;
    let mut chats: Vec<_> = snapshot.chats.iter().collect();
    chats.sort_by_key(|c| c.broken.is_none());
    list(html, "Chats", "None.", &chats, chat)?;
    if let Some(line) = &snapshot.heartbeat {
        list(html, "Heartbeat", "None.", &[line], |html, line| heartbeat(html, line, zone))?;
    }
    writeln!(
        html,
        "</main><footer>dawnwatch {} · runs since {} · this page renews itself every 30 s</footer></body></html>",
        env!("CARGO_PKG_VERSION"),
        When(snapshot.started_at, zone)
    )
}

/// The whole point in one line. Green only when it was looked at, and all of it is well.
fn headline(snapshot: &Snapshot, trouble: Option<&str>) -> (&'static str, String) {
    let all = snapshot.dashboards.iter().filter(|d| d.verdict > Verdict::NotWatched).count();
    let troubled = snapshot.dashboards.iter().filter(|d| d.verdict.is_trouble()).count();
    let deaf = snapshot.chats.iter().filter(|c| c.broken.is_some()).count();
    let open = snapshot.incidents.iter().filter(|i| !i.recovering).count();
    match (troubled, open) {
        _ if trouble.is_some() => ("bad", "⛔ The watch is in trouble".to_owned()),
        _ if !snapshot.ready => ("warn", "❓ Not known yet".to_owned()),
        (0, 0) if deaf > 0 => ("warn", format!("⚠️ {} no messages", count(deaf, "chat takes", "chats take"))),
        (0, 0) if all == 0 => ("dim", "· Nothing is due now".to_owned()),
        (0, 0) => ("good", format!("✅ OK: {} well", count(all, "dashboard is", "dashboards are"))),
        (0, open) => ("warn", format!("⚠️ {}, no dashboard in trouble", count(open, "open incident", "open incidents"))),
        (troubled, _) => ("bad", format!("⚠️ {troubled} of {} in trouble", count(all, "dashboard", "dashboards"))),
    }
}

fn list<T>(
    html: &mut String,
    title: &str,
    none: &str,
    lines: &[&T],
    mut item: impl FnMut(&mut String, &T) -> fmt::Result,
) -> fmt::Result {
    write!(html, "<h2>{title}</h2><ul>")?;
    if lines.is_empty() {
        write!(html, "<li class=\"dim\">{none}</li>")?;
    }
    for line in lines.iter().take(LINES) {
        html.push_str("<li>");
        item(html, line)?;
        html.push_str("</li>");
    }
    if lines.len() > LINES {
        write!(html, "<li class=\"dim\">and {} more</li>", lines.len() - LINES)?;
    }
    html.push_str("</ul>");
    Ok(())
}

fn dashboard(html: &mut String, line: &DashboardLine, zone: Tz) -> fmt::Result {
    let (name, at) = (Plain(&line.name), When(line.deadline, zone));
    write!(html, "{}<b>{name}</b>", Badge(line.verdict))?;
    write!(html, "<span class=\"d\">by {at} · {}/{} arrived</span>", line.arrived, line.checks)
}

fn incident(html: &mut String, line: &IncidentLine, zone: Tz) -> fmt::Result {
    if line.recovering {
        html.push_str("<span class=\"v good\">↗ recovering</span>");
    } else {
        write!(html, "{}", Badge(line.verdict))?;
    }
    let waiting = count(line.waiting, "check waits", "checks wait");
    let since = When(line.since, zone);
    write!(html, "<b>{}</b><span class=\"d\">#{} · since {since} · {waiting}</span>", Plain(&line.cause), line.id)
}

fn source(html: &mut String, line: &SourceLine, zone: Tz) -> fmt::Result {
    let id = Plain(line.id.as_str());
    match (line.dark_since, line.swept_at) {
        (Some(since), _) => {
            let since = When(since, zone);
            write!(html, "<span class=\"v warn\">❓ no answer</span><b>{id}</b><span class=\"d\">since {since}</span>")?;
        }
        (None, Some(at)) => {
            let at = When(at, zone);
            write!(html, "<span class=\"v good\">✅ answers</span><b>{id}</b><span class=\"d\">last asked {at}</span>")?;
        }
        (None, None) => write!(html, "<span class=\"v warn\">❓ not known yet</span><b>{id}</b>")?,
    }
    line.trouble.as_ref().map_or(Ok(()), |why| write!(html, "<span class=\"d\">{}</span>", Plain(why)))
}

fn chat(html: &mut String, line: &ChatLine) -> fmt::Result {
    let id = Plain(line.id.as_str());
    match &line.broken {
        Some(why) => {
            write!(html, "<span class=\"v bad\">⛔ takes no messages</span><b>{id}</b><span class=\"d\">{}</span>", Plain(why))?;
        }
        None => write!(html, "<span class=\"v good\">✅ works</span><b>{id}</b>")?,
    }
    if line.pending > 0 {
        write!(html, "<span class=\"d\">{} to be confirmed</span>", count(line.pending, "post", "posts"))?;
    }
    Ok(())
}

fn heartbeat(html: &mut String, line: &HeartbeatLine, zone: Tz) -> fmt::Result {
    match &line.trouble {
        Some(why) => {
            write!(html, "<span class=\"v bad\">⛔ stays away</span><b>proof of life</b><span class=\"d\">{}</span>", Plain(why))?
        }
        None => html.push_str("<b>proof of life</b>"),
    }
    match line.beaten_at {
        Some(at) => write!(html, "<span class=\"d\">last taken {}</span>", When(at, zone)),
        None => write!(html, "<span class=\"d\">never taken yet</span>"),
    }
}

fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// The verdict as colour, shape and word: any one of them is enough.
struct Badge(Verdict);

impl Display for Badge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (class, shape) = match self.0 {
            Verdict::NotDue | Verdict::NotWatched => ("dim", "·"),
            Verdict::Ready => ("good", "✅"),
            Verdict::OnTrack => ("good", "○"),
            Verdict::AtRisk => ("warn", "⚠️"),
            Verdict::Late => ("bad", "⏰"),
            Verdict::Unknown => ("warn", "❓"),
            Verdict::Failed => ("bad", "⛔"),
        };
        write!(f, "<span class=\"v {class}\">{shape} {}</span>", self.0.word().replace('_', " "))
    }
}

/// With weekday and zone, as in the messages.
struct When(Instant, Tz);

impl Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.with_timezone(&self.1).format("%a %-d %b %H:%M %Z"))
    }
}

/// Text as text: whatever is in it, it is no markup, in content and in quoted attributes.
struct Plain<'a>(&'a str);

impl Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // Invisible, or turning the order of what follows around.
                c if c.is_control() => f.write_char(' ')?,
                '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}
