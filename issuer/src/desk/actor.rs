//! The name of the admin key whose request is being carried out.
//!
//! The rules do not know who asks. The name is kept beside the task of the request, and is added to the audit events
//! when a change is committed.

use std::sync::Arc;

use crate::domain::AuditEvent;

tokio::task_local! {
    static ACTOR: Arc<str>;
}

/// Runs `work`. Audit events that `work` writes carry this name.
pub async fn acting<T>(name: Arc<str>, work: impl Future<Output = T>) -> T {
    ACTOR.scope(name, work).await
}

/// Whether the work is done for the holder of an admin key.
pub(super) fn is_known() -> bool {
    ACTOR.try_with(|_| ()).is_ok()
}

/// Adds the name to the events. Outside of [`acting`], returns the events unchanged.
pub(super) fn by_actor(mut events: Vec<AuditEvent>) -> Vec<AuditEvent> {
    let _outside = ACTOR.try_with(|name| {
        for event in &mut events {
            event.by = Some(name.to_string());
        }
    });
    events
}
