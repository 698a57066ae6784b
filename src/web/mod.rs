//! Inbound HTTP: a status page, `/healthz`, `/readyz`, `/metrics`. Reads snapshots that the agent publishes; never touches the state.

pub mod snapshot;

use secrecy::SecretString;
use snapshot::Snapshot;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Serves until `stop` is cancelled. `token`: when given, every path but `/healthz` and `/readyz` wants `Authorization: Bearer`.
pub async fn serve(
    _listener: TcpListener,
    _snapshots: watch::Receiver<Arc<Snapshot>>,
    _token: Option<SecretString>,
    _stop: CancellationToken,
) -> std::io::Result<()> {
    unimplemented!()
}
