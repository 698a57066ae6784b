//! Logging in: Airflow 3 gives a token for the password, Airflow 2 takes the password with each request. A configured token is sent as it
//! is to either, and never renewed.

use super::super::wire::{Reply, Wire};
use super::generation::{Generation, Place};
use super::rows::{AccessToken, Detail};
use super::token::Token;
use crate::config::wiring::AirflowLogin;
use crate::core::observation::{Unreachable, Why};
use crate::core::time::Instant;
use crate::net::{line, unreachable};
use reqwest::{RequestBuilder, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

pub(super) struct Login {
    account: Account,
    token: tokio::sync::Mutex<Option<Token>>,
}

enum Account {
    Password { username: String, password: SecretString },
    Token(SecretString),
}

impl Login {
    pub(super) fn build(login: &AirflowLogin) -> Result<Self, String> {
        let account = match login {
            AirflowLogin::Password { username, password } => {
                Account::Password { username: username.clone(), password: password.resolve()? }
            }
            AirflowLogin::Token(token) => Account::Token(token.resolve()?),
        };
        Ok(Self { account, token: tokio::sync::Mutex::new(None) })
    }

    /// Asks as the configured account.
    pub(super) async fn send(
        &self,
        wire: &Wire,
        place: Place<'_>,
        generation: Generation,
        now: Instant,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<Reply, Unreachable> {
        match generation {
            Generation::Two => self.send_to_two(wire, request()).await,
            Generation::Three => self.send_to_three(wire, place, now, request).await,
        }
    }

    /// Asks for what an Airflow tells everybody, though what stands before it may not: with the credentials that there are. Airflow 3
    /// takes no password with a question, so a token is only fetched for it where it is refused without.
    pub(super) async fn send_open(
        &self,
        wire: &Wire,
        place: Place<'_>,
        generation: Generation,
        now: Instant,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<Reply, Unreachable> {
        if let (Generation::Three, Account::Password { .. }) = (generation, &self.account) {
            let reply = wire.send(request()).await?;
            if !matches!(reply.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
                return answered(reply, wire.host());
            }
        }
        self.send(wire, place, generation, now, request).await
    }

    async fn send_to_two(&self, wire: &Wire, request: RequestBuilder) -> Result<Reply, Unreachable> {
        let (request, refused) = match &self.account {
            Account::Password { username, password } => {
                (request.basic_auth(username, Some(password.expose_secret())), "the user name or password")
            }
            Account::Token(token) => (request.bearer_auth(token.expose_secret()), "the configured token"),
        };
        let reply = wire.send(request).await?;
        if matches!(reply.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            // The same 403 for both (measured on 2.11.2).
            let text = format!("{} refused {refused}, or does not permit it to look: Airflow 2 does not say which", wire.host());
            return Err(unreachable(Why::Auth, text));
        }
        answered(reply, wire.host())
    }

    /// With a token, and once more with a new one where it was refused.
    async fn send_to_three(
        &self,
        wire: &Wire,
        place: Place<'_>,
        now: Instant,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<Reply, Unreachable> {
        let token = self.token(wire, place, now, None).await?;
        let reply = wire.send(request().bearer_auth(token.expose_secret())).await?;
        if !refuses_token(&reply) {
            return answered(reply, wire.host());
        }
        if let Account::Token(_) = self.account {
            return Err(unreachable(Why::Auth, format!("{} refused the configured token: {}", wire.host(), said(&reply))));
        }
        let token = self.token(wire, place, now, Some(&token)).await?;
        answered(wire.send(request().bearer_auth(token.expose_secret())).await?, wire.host())
    }

    /// The current token; logs in where there is none, it is about to end, or it is the refused one. One login at a time.
    async fn token(
        &self,
        wire: &Wire,
        place: Place<'_>,
        now: Instant,
        refused: Option<&SecretString>,
    ) -> Result<SecretString, Unreachable> {
        let (username, password) = match &self.account {
            Account::Token(token) => return Ok(token.clone()),
            Account::Password { username, password } => (username, password),
        };
        let mut held = self.token.lock().await;
        let usable = |token: &&Token| {
            token.is_fresh(now) && refused.is_none_or(|refused| refused.expose_secret() != token.value.expose_secret())
        };
        if let Some(token) = held.as_ref().filter(usable) {
            return Ok(token.value.clone());
        }
        *held = None;
        let value = log_in(wire, place, username, password).await?;
        *held = Some(Token::received(value.clone(), now));
        Ok(value)
    }
}

async fn log_in(wire: &Wire, place: Place<'_>, username: &str, password: &SecretString) -> Result<SecretString, Unreachable> {
    let body = json!({ "username": username, "password": password.expose_secret() });
    let reply = wire.send(place.client.post(place.url(&["auth", "token"])).json(&body)).await?;
    let host = wire.host();
    match reply.status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Err(unreachable(Why::Auth, format!("{host} refused the user name or password: {}", said(&reply))))
        }
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
            let text = format!("{host} has no /auth/token: this is no Airflow 3, nor a 2 that answers (or the URL lacks its path)");
            Err(unreachable(Why::Status, text))
        }
        _ => {
            let reply = answered(reply, host)?;
            // The reason is left out: it could quote the token.
            let token: AccessToken = serde_json::from_slice(&reply.body)
                .map_err(|_| unreachable(Why::Malformed, format!("{host} answered a login without an access token")))?;
            Ok(token.access_token.into())
        }
    }
}

/// 401 "Token Expired" and the like, or 403 "Invalid JWT token"; other 403s are about permission (facts of 3.3.2).
fn refuses_token(reply: &Reply) -> bool {
    reply.status == StatusCode::UNAUTHORIZED || (reply.status == StatusCode::FORBIDDEN && said(reply).contains("Invalid JWT"))
}

/// The reply of either generation, if it is the answer.
fn answered(reply: Reply, host: &str) -> Result<Reply, Unreachable> {
    match reply.status {
        status if status.is_success() => Ok(reply),
        StatusCode::UNAUTHORIZED => Err(unreachable(Why::Auth, format!("{host} refused a new token: {}", said(&reply)))),
        StatusCode::FORBIDDEN => Err(unreachable(Why::Auth, format!("{host} does not permit this user to look: {}", said(&reply)))),
        StatusCode::NOT_FOUND if reply.is_html() => {
            Err(unreachable(Why::Status, format!("{host} has no Airflow API at this address: does the URL lack its path?")))
        }
        status => Err(unreachable(Why::Status, format!("{host} answered {}: {}", status.as_u16(), said(&reply)))),
    }
}

/// Airflow's own words about an error, or the status' usual ones.
fn said(reply: &Reply) -> String {
    let detail = serde_json::from_slice::<Detail>(&reply.body).ok().and_then(|d| d.detail.as_str().map(line));
    detail.unwrap_or_else(|| reply.status.canonical_reason().unwrap_or("no reason given").to_owned())
}
