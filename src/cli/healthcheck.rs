//! `healthcheck`: is the agent of this configuration well? For containers and monitors: one line, an exit code, and no secret.

use super::{Common, Format, agent_call, output};
use crate::config::{self, Loaded};
use crate::error::{Error, Exit};
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;

/// A probe is asked often; the page answers in milliseconds or is not well.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) async fn run(common: &Common, args: &super::Healthcheck, environment: &[(String, String)]) -> Result<Exit, Error> {
    let to = match args.address {
        Some(address) => address,
        None => {
            // Warnings are `check`'s to say: a probe runs every minute.
            let loaded = config::load(&common.config, common.profile.as_deref(), environment);
            let Loaded { wiring, .. } = loaded.map_err(Error::Refused)?;
            agent_call::address(wiring.web.as_ref())?
        }
    };
    let (status, body) = agent_call::ask(to, "/healthz", None, None, PATIENCE).await?;
    let report: Value = serde_json::from_str(&body).unwrap_or_default();
    let well = status == StatusCode::OK && report["status"] == "ok";
    let why = match &report["reason"] {
        Value::String(why) => why.clone(),
        _ if well => String::new(),
        _ => format!("it answers {}, which is no answer of dawnwatch", status.as_u16()),
    };
    output::write(&match common.format {
        Format::Text if well => format!("the agent at {to} is well"),
        Format::Text => format!("the agent at {to} is not well: {}", crate::net::line(&why)),
        _ => json!({"at": to, "well": well, "why": (!why.is_empty()).then_some(why)}).to_string(),
    })?;
    Ok(if well { Exit::Fine } else { Exit::Findings })
}
