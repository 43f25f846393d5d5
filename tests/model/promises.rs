//! The promises, and the clients and tokens that the promises cover. The rules do not see this bookkeeping.

use std::collections::BTreeMap;

use doorlist_verifier::{Handle, Seq};

use crate::node::{How, Token};

/// A broken promise of the design.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Broken {
    /// A kick ended a session, and the kick was acknowledged. After the acknowledgement a request began, and this
    /// request refreshed the session.
    KickUndone,
    /// A client sent the token from the last answer that it received, and was refused. But the client's session had
    /// not been ended.
    ClientRefused,
    /// Two clients held the same token. Each of them then received two new generations, although they did not refresh
    /// within one grace window.
    TwoLiveChains,
    /// A verifier accepts a token although its list includes the acknowledged position of the token's revocation.
    RevokedTokenAccepted,
    /// The as-of time of a verifier's list is after the acknowledgement, but the list does not contain the
    /// revocation.
    StalenessUnderstated,
}

#[derive(Debug, Clone, Hash)]
pub struct Promises {
    pub clients: Vec<Client>,
    pub sessions: BTreeMap<Handle, Session>,
    pub issued: Vec<Issued>,
    /// The position of each acknowledged revocation. `None` while a failover has lost the revocation and no living
    /// node has put it back yet.
    pub acknowledged: Vec<Option<Seq>>,
    /// The end of the revocation log when the last lost entries were put back, or counted as permanently lost.
    pub put_back: Seq,
    pub verifier: Verifier,
    pub broken: Option<Broken>,
}

/// A holder of a refresh token.
#[derive(Debug, Clone, Hash)]
pub struct Client {
    pub sid: Handle,
    /// The generation in the last answer that reached the client.
    pub generation: u64,
    pub waiting: u8,
    /// Since the client last had the same generation as another client, the client has received this many new
    /// generations.
    pub advances: u8,
}

#[derive(Debug, Clone, Default, Hash)]
pub struct Session {
    /// The number of the acknowledged kick that ended the session.
    pub ended: Option<u8>,
    /// Whether the session has possibly ended. There are three possible reasons: a kick was pending when the session
    /// was opened, a kick began later, or a failover lost the login.
    pub may_end: bool,
}

/// An access token that was issued.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Issued {
    pub token: Token,
    /// The number of the acknowledgement that ended the token.
    pub ended: Option<u8>,
}

/// A verifier that loads lists from any node.
#[derive(Debug, Clone, Default, Hash)]
pub struct Verifier {
    pub seq: Seq,
    pub as_of: u64,
    /// The number of acknowledged revocations that the verifier must know, according to its as-of time.
    pub vouched: u8,
    /// Handles, each with the as-of time of the list that added the handle.
    pub held: BTreeMap<Handle, u64>,
}

impl Verifier {
    fn accepts(&self, token: &Token, now: u64, leeway_secs: u64) -> bool {
        now <= token.expires + leeway_secs
            && !self.held.contains_key(&token.gid)
            && !self.held.contains_key(&token.sid)
    }

    /// Loads a list of a node. `revoked` has the handles that are new for the verifier. `seq` is the node's position
    /// in the revocation log.
    pub fn load(
        &mut self,
        revoked: impl Iterator<Item = Handle>,
        seq: Seq,
        as_of: u64,
        vouched: u8,
        retain_secs: u64,
    ) {
        self.held.extend(revoked.map(|handle| (handle, as_of)));
        self.seq = seq;
        self.as_of = self.as_of.max(as_of);
        self.vouched = self.vouched.max(vouched);
        let as_of = self.as_of;
        self.held.retain(|_, brought| *brought + retain_secs >= as_of);
    }
}

impl Promises {
    /// Records a granted token, even if the token has not arrived yet. If the session has already ended, the token is
    /// void from the start. There is one exception: the node that granted the token could not know of the end
    /// (`excused`).
    pub fn grant(&mut self, token: Token, excused: bool) {
        let ended = self.sessions.get(&token.sid).and_then(|session| session.ended).filter(|_| !excused);
        let issued = Issued { token, ended };
        if !self.issued.contains(&issued) {
            self.issued.push(issued);
        }
    }

    /// Marks as ended all tokens that were issued before the request began. For a kick, also marks the sessions of
    /// these tokens as ended.
    pub fn acknowledge(&mut self, issued_before: u8, position: Option<Seq>, sessions_too: bool) {
        let number = self.acknowledged.len() as u8;
        // If a failover lost the request's entries before the acknowledgement, the position at which the entries were
        // put back counts instead of `position`.
        self.acknowledged.push(position.map(|position| position.max(self.put_back)));
        for issued in &mut self.issued[..usize::from(issued_before)] {
            issued.ended.get_or_insert(number);
            if sessions_too {
                self.sessions.entry(issued.token.sid).or_default().ended.get_or_insert(number);
            }
        }
    }

    /// The number of acknowledged revocations that a node claims to know if the node confirms now.
    pub fn vouches(&self) -> u8 {
        self.acknowledged.iter().take_while(|position| position.is_some()).count() as u8
    }

    /// Counts the new generations of a client. Two holders of one session's tokens can be distinguished only
    /// outside the grace window.
    pub fn count(&mut self, client: u8, how: How) {
        let sid = self.clients[usize::from(client)].sid;
        match how {
            How::Advance => {
                let advances = &mut self.clients[usize::from(client)].advances;
                *advances = (*advances + 1).min(2);
            }
            How::Repeat | How::Login => self.restart_count(sid),
        }
        if self.clients.iter().filter(|client| client.sid == sid && client.advances == 2).count() > 1 {
            self.broken = Some(Broken::TwoLiveChains);
        }
    }

    pub fn restart_count(&mut self, sid: Handle) {
        self.clients.iter_mut().filter(|client| client.sid == sid).for_each(|client| client.advances = 0);
    }

    /// Checks the verifier's current answers.
    pub fn check(&mut self, now: u64, leeway_secs: u64) {
        for issued in &self.issued {
            let Some(by) = issued.ended else { continue };
            if !self.verifier.accepts(&issued.token, now, leeway_secs) {
                continue;
            }
            if self.acknowledged[usize::from(by)].is_some_and(|position| self.verifier.seq >= position) {
                self.broken = Some(Broken::RevokedTokenAccepted);
            } else if self.verifier.vouched > by {
                self.broken = Some(Broken::StalenessUnderstated);
            }
        }
    }
}
