//! The second source of the demo: a partner's file API, one JSON answer that lists the newest file of each kind.
//!
//! In its dark hours it takes every connection and closes it at once; what arrives meanwhile is seen when it is back.

use super::night::{Night, ZONE};
use crate::agent::clock::Clock;
use crate::core::time::{Instant, local_date, resolve, shift};
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::serve::Listener;
use axum::{Json, Router};
use chrono::{NaiveDate, NaiveTime, SecondsFormat, TimeDelta};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

/// Files that come every night, and when: hour and minute in Seoul. The last one comes while the API is dark.
pub const FILES: [(&str, u32, u32); 4] =
    [("partner_orders", 4, 12), ("partner_returns", 4, 48), ("partner_rates", 5, 20), ("partner_invoices", 6, 5)];

/// Answers what is there at `clock`'s instant.
pub fn router(clock: Clock) -> Router {
    Router::new().route("/files", get(files)).with_state(clock)
}

async fn files(State(clock): State<Clock>) -> impl IntoResponse {
    // A connection serves one question, so that none outlives the beginning of the dark.
    ([(header::CONNECTION, "close")], Json(listing(clock.now())))
}

fn listing(at: Instant) -> Value {
    let files = FILES.map(|(name, hour, minute)| {
        let today = local_date(at, ZONE);
        let tonight = arrival(name, today, hour, minute);
        let newest = if tonight <= at { tonight } else { arrival(name, shift(today, -1), hour, minute) };
        let received = newest.with_timezone(&ZONE).to_rfc3339_opts(SecondsFormat::Secs, false);
        json!({ "name": name, "received_at": received, "checksum": format!("{:08x}", newest.timestamp()) })
    });
    json!({ "partner": "Hanbit Retail", "files": files })
}

/// Some minutes early or late, never the same twice.
fn arrival(name: &str, date: NaiveDate, hour: u32, minute: u32) -> Instant {
    let around_s = i64::from(super::night::dice(name, date, 1, 480)) - 240;
    resolve(date, NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default(), ZONE) + TimeDelta::seconds(around_s)
}

/// A listener that slams the door in its dark hours.
pub struct GoesDark {
    pub door: TcpListener,
    pub night: Night,
    pub clock: Clock,
}

impl Listener for GoesDark {
    type Io = TcpStream;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, from) = Listener::accept(&mut self.door).await;
            let now = self.clock.now();
            if !self.night.dark().is_some_and(|(since, until)| since <= now && now < until) {
                return (stream, from);
            }
            drop(stream);
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.door.local_addr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_is_last_nights_until_it_comes() {
        let night = Night::Weekday;
        let dates = |hour, minute| -> Vec<String> {
            let body = listing(night.at(hour, minute));
            let files = body["files"].as_array().unwrap();
            files.iter().map(|f| f["received_at"].as_str().unwrap()[..10].to_owned()).collect()
        };
        assert_eq!(dates(2, 0), ["2026-11-22"; 4]);
        assert_eq!(dates(5, 46), ["2026-11-23", "2026-11-23", "2026-11-23", "2026-11-22"]);
        assert_eq!(dates(6, 40), ["2026-11-23"; 4]);
    }
}
