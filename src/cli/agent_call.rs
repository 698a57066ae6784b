//! One question to the running agent, over the address of its status page. Not reqwest: loopback needs no certificates, and a
//! container without any must still be able to ask whether its agent is well.

use crate::config::wiring::Web;
use crate::error::Error;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use secrecy::{ExposeSecret, SecretString};
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpStream;

/// For the whole question. The agent itself answers sooner, or not at all.
pub(super) const PATIENCE: Duration = Duration::from_secs(9);
/// The most bytes of an answer that are read.
const ANSWER_BYTES: usize = 256 * 1024;

/// Where the agent's page can be reached from this machine.
pub(super) fn address(web: Option<&Web>) -> Result<SocketAddr, Error> {
    let web = web.ok_or_else(|| {
        Error::NoAgent("the agent cannot be reached: [web] listen is \"off\", and there is no other way to it".to_owned())
    })?;
    let ip = match web.listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    Ok(SocketAddr::new(ip, web.listen.port()))
}

/// Asks for `path`, or posts the JSON `body` to it; the status and the whole answer.
pub(super) async fn ask(
    to: SocketAddr,
    path: &str,
    token: Option<&SecretString>,
    body: Option<String>,
    patience: Duration,
) -> Result<(StatusCode, String), Error> {
    let silent = |why: &dyn std::fmt::Display| Error::NoAgent(format!("no agent answers at {to}: is it running? ({why})"));
    let mut request = Request::builder()
        .method(if body.is_some() { Method::POST } else { Method::GET })
        .uri(path)
        .header(header::HOST, to.to_string())
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {}", token.expose_secret()));
    }
    // Of all that is in it only the token comes from outside.
    let request = request
        .body(Body::from(body.unwrap_or_default()))
        .map_err(|_| Error::Unusable(vec!["the token of [web] has characters that cannot stand in a header".to_owned()]))?;
    let asked = converse(to, request);
    match tokio::time::timeout(patience, asked).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(why)) => Err(silent(&why)),
        Err(_) => Err(silent(&format!("no answer within {} s", patience.as_secs()))),
    }
}

async fn converse(to: SocketAddr, request: Request<Body>) -> Result<(StatusCode, String), String> {
    let stream = TcpStream::connect(to).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let status = response.status();
        let body = to_bytes(Body::new(response.into_body()), ANSWER_BYTES).await.map_err(|error| error.to_string())?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    };
    while_driven(answer, connection).await
}

/// The answer only comes while somebody drives the connection; how the connection itself ends says nothing more.
async fn while_driven<T>(answer: impl Future<Output = T>, connection: impl Future) -> T {
    let (mut answer, mut connection) = (std::pin::pin!(answer), std::pin::pin!(connection));
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        _ = &mut connection => answer.await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_that_listens_everywhere_is_asked_on_loopback() {
        for (listen, expected) in [
            ("0.0.0.0:8606", "127.0.0.1:8606"),
            ("[::]:80", "[::1]:80"),
            ("127.0.0.1:8606", "127.0.0.1:8606"),
            ("10.1.2.3:8606", "10.1.2.3:8606"),
        ] {
            let web = Web { listen: listen.parse().unwrap(), token: None };
            assert_eq!(address(Some(&web)).unwrap().to_string(), expected);
        }
        let off = address(None).unwrap_err();
        assert!(off.to_string().contains("\"off\"") && off.exit().code() == 3, "{off}");
    }
}
