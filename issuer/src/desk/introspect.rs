//! Introspection: reads the record and requires a confirmation, so that an isolated store gives no answer.

use super::{Desk, RefreshClaims};
use crate::domain::introspect::{AccessClaims, is_active, would_grant};
use crate::domain::refresh::Presented;
use crate::domain::{Grant, Subject};
use crate::store::StoreError;

impl Desk {
    /// Whether a verified access token of this subject belongs to a live session and to the subject's current
    /// group.
    pub async fn is_active(&self, sub: &Subject, token: AccessClaims) -> Result<bool, StoreError> {
        let read = self.records.read(sub).await?;
        let active = is_active(read.record(), token, &read.moment(&self.records));
        self.confirmed().await?;
        Ok(active)
    }

    /// The grant that a refresh token would get now; `None` if the refresh would be refused. The session is not
    /// changed.
    pub async fn would_grant(&self, token: &RefreshClaims) -> Result<Option<Grant>, StoreError> {
        let read = self.records.read(&token.sub).await?;
        let presented = Presented { sid: token.sid, generation: token.generation, client_id: None };
        let grant = would_grant(&token.sub, read.record(), presented, &read.moment(&self.records));
        self.confirmed().await?;
        Ok(grant)
    }
}
