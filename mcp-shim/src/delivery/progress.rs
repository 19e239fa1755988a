//! Progress of a call that waits: keeps a client with a time limit patient, and tells its user
//! what is waited for.

use rmcp::{RoleServer, model::ProgressNotificationParam, service::RequestContext};
use shared::limits;
use tokio::time::{Instant, interval_at};

use crate::{driver::DriverHandle, session::CallId};

/// Reports on a call, if its client asked for that, until dropped.
pub(crate) async fn report(
    context: &RequestContext<RoleServer>,
    driver: &DriverHandle,
    call: CallId,
) -> std::convert::Infallible {
    let Some(token) = context.meta.get_progress_token() else {
        return std::future::pending().await;
    };
    let began = Instant::now();
    let mut ticks = interval_at(began + limits::PROGRESS_EVERY, limits::PROGRESS_EVERY);
    let mut reported = 0.0;
    loop {
        ticks.tick().await;
        let Some(message) = driver.progress(call).await else { continue };
        let seconds = began.elapsed().as_secs_f64().max(reported + 0.001);
        reported = seconds;
        let mut progress = ProgressNotificationParam::new(token.clone(), seconds);
        progress.message = Some(message);
        if context.peer.notify_progress(progress).await.is_err() {
            return std::future::pending().await;
        }
    }
}
