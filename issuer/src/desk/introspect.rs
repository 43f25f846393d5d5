//! Introspection: the record is asked, and the store must have confirmed that it is no isolated one.

use super::{Desk, RefreshClaims};
use crate::domain::introspect::{AccessClaims, is_active, would_grant};
use crate::domain::refresh::Presented;
use crate::domain::{Grant, Subject};
use crate::store::StoreError;

impl Desk {
    /// Whether a subject's access token, which verifies, belongs to a session that lives, in the group of now.
    pub async fn is_active(&self, sub: &Subject, token: AccessClaims) -> Result<bool, StoreError> {
        let read = self.read(sub).await?;
        let active = is_active(read.record(), token, &read.moment(self));
        self.confirmed().await?;
        Ok(active)
    }

    /// What a refresh token would be granted now; `None`: nothing. The session stays as it is.
    pub async fn would_grant(&self, token: &RefreshClaims) -> Result<Option<Grant>, StoreError> {
        let read = self.read(&token.sub).await?;
        let presented = Presented { sid: token.sid, generation: token.generation, client_id: None };
        let grant = would_grant(&token.sub, read.record(), presented, &read.moment(self));
        self.confirmed().await?;
        Ok(grant)
    }
}
