//! The demo's configuration, as a person would write it: one file, read by the same loader as any other.
//!
//! Its secrets stand in it as values, which is allowed on loopback alone.

use super::airflow::{PASSWORD, USERNAME};
use super::night::cast::{self, DOMAINS, Sort};
use super::partner::FILES;
use crate::core::plan::Language;
use std::fmt::Write;
use std::net::SocketAddr;

/// Where the stand-ins listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    pub airflow: SocketAddr,
    pub partner: SocketAddr,
    pub chat: SocketAddr,
}

/// `dawnwatch.toml` of the demo.
pub fn text(at: Addresses, language: Language) -> String {
    [head(at, language), templates(), GROUPS.to_owned(), checks(), dashboards(), owners()].join("\n")
}

fn head(at: Addresses, language: Language) -> String {
    let language = match language {
        Language::En => "en",
        Language::Ko => "ko",
    };
    let Addresses { airflow, partner, chat } = at;
    format!(
        r#"timezone = "Asia/Seoul"
language = "{language}"
tell     = ["team"]

[store]
path = "dawnwatch.db"

[web]
listen = "off"

[calendars.kr]
weekend = ["sat", "sun"]

[sources.airflow]
kind     = "airflow"
url      = "http://{airflow}"
username = "{USERNAME}"
password = {{ value = "{PASSWORD}" }}
every    = "60s"
timeout  = "5s"

[sources.partner_files]
kind      = "http"
url       = "http://{partner}/files"
items     = "$.files[*]"
id        = "$.name"
timestamp = "$.received_at"
every     = "60s"
timeout   = "5s"

[chats.team]
kind    = "slack"
url     = {{ value = "http://{chat}/services/T000/B000/demo" }}
quiet   = "22:00-07:00"
mention = "<!subteam^S0DEMO|@data-oncall>"

[digests.morning]
at       = "06:30"
calendar = "kr"
to       = ["team"]
when_all_green = {{ workdays = "post", otherwise = "silent" }}
"#
    )
}

/// The three standard types.
fn templates() -> String {
    Sort::ALL.iter().fold(String::new(), |mut out, sort| {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "[templates.{sort}]\nduration = \"{}m\"", sort.declared_min());
        out
    })
}

/// Some three hundred pipelines.
const GROUPS: &str = r#"[groups.ingest]
source  = "airflow"
match   = { tags = ["ingest"] }
extends = "ingest"

[groups.mart]
source  = "airflow"
match   = { tags = ["mart"] }
exclude = { ids = ["mart_member_*"] }
extends = "mart"

[groups.member_mart]
source  = "airflow"
match   = { tags = ["mart"], ids = ["mart_member_*"] }
extends = "mart"
needs   = ["raw_member_events"]

[groups.report]
source  = "airflow"
match   = { tags = ["report"] }
exclude = { ids = ["report_member_*"] }
extends = "report"

[groups.member_report]
source  = "airflow"
match   = { tags = ["report"], ids = ["report_member_*"] }
extends = "report"
needs   = ["group:member_mart"]
"#;

/// Those of which more is known than their type says.
fn checks() -> String {
    let files = FILES.map(|(name, ..)| name);
    let mut out = format!(
        r#"[checks.{cause}]
source   = "airflow"
extends  = "ingest"
duration = "30m"
owner    = "member-platform"
runbook  = "https://wiki.example.com/rb/7"

[checks.{long}]
source   = "airflow"
extends  = "mart"
duration = "60m"
owner    = "ads-data"
runbook  = "https://wiki.example.com/rb/12"

[checks.{board}]
source  = "airflow"
extends = "report"
needs   = ["{long}"]

[checks.{settlement}]
source  = "airflow"
extends = "report"
needs   = {files:?}
"#,
        cause = cast::CAUSE,
        long = cast::LONG,
        board = cast::LONG_BOARD,
        settlement = cast::SETTLEMENT,
    );
    for name in files {
        let _ = write!(out, "\n[checks.{name}]\nsource = \"partner_files\"\nowner  = \"payments\"\n");
    }
    out
}

fn dashboards() -> String {
    let files = FILES.map(|(name, ..)| format!("\"{name}\"")).join(", ");
    format!(
        r#"[dashboards.exec_summary]
name     = "Executive summary"
needs    = ["group:ingest", "group:mart", "group:member_mart", "group:report", "group:member_report",
            "{cause}", "{long}", "{board}"]
ready_by = "09:00"
audience = "kr:workdays"
reaction = "20m"
tell     = ["team"]
url      = "https://bi.example.com/exec"

[dashboards.partner_settlement]
name     = "Partner settlement"
needs    = ["{settlement}", {files}]
ready_by = "09:20"
audience = "kr:workdays"
reaction = "20m"
tell     = ["team"]
url      = "https://bi.example.com/settlement"
"#,
        cause = cast::CAUSE,
        long = cast::LONG,
        board = cast::LONG_BOARD,
        settlement = cast::SETTLEMENT,
    )
}

/// `member-platform` is the Member Platform.
fn owners() -> String {
    let title = |id: &str| {
        let words = id.split('-').map(|word| word[..1].to_uppercase() + &word[1..]);
        words.collect::<Vec<_>>().join(" ")
    };
    DOMAINS.iter().fold(String::new(), |mut out, (_, owner)| {
        let _ = writeln!(out, "[owners.{owner}]\nname    = \"{}\"\ncontact = \"{owner}-oncall@example.com\"", title(owner));
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::plan::glob;
    use crate::demo::night::cast::pipelines;

    fn table() -> toml::Table {
        let port = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        text(Addresses { airflow: port(1), partner: port(2), chat: port(3) }, Language::Ko).parse().unwrap()
    }

    fn strings(value: Option<&toml::Value>) -> Vec<String> {
        value.and_then(|v| v.as_array()).into_iter().flatten().map(|v| v.as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn every_pipeline_is_in_exactly_one_group() {
        let table = table();
        for pipeline in pipelines() {
            let in_group = |group: &&toml::Value| {
                let wanted = &group["match"];
                let ids = strings(wanted.get("ids"));
                let out = strings(group.get("exclude").and_then(|e| e.get("ids")));
                strings(wanted.get("tags")).contains(&pipeline.sort.to_string())
                    && (ids.is_empty() || ids.iter().any(|id| glob(id, &pipeline.id)))
                    && !out.iter().any(|id| glob(id, &pipeline.id))
            };
            assert_eq!(table["groups"].as_table().unwrap().values().filter(in_group).count(), 1, "{}", pipeline.id);
        }
    }

    #[test]
    fn the_declared_times_and_names_are_those_of_the_script() {
        let table = table();
        for pipeline in pipelines() {
            let of = |kind: &str, name: &str| table[kind].get(name).and_then(|t| t.get("duration")).cloned();
            let declared = of("checks", &pipeline.id).or_else(|| of("templates", &pipeline.sort.to_string()));
            assert_eq!(declared, Some(format!("{}m", pipeline.declared_min()).into()), "{}", pipeline.id);
            assert!(table["owners"].get(pipeline.owner).is_some(), "{}", pipeline.owner);
        }
        assert_eq!(table["language"].as_str(), Some("ko"));
        assert_eq!(table["checks"].as_table().unwrap().len(), 8);
    }
}
