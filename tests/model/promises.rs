//! What was promised, and to whom: the bookkeeping that no rule sees.

use std::collections::BTreeMap;

use doorlist_verifier::{Handle, Seq};

use crate::node::{How, Token};

/// A promise of the design that was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Broken {
    /// A session that an acknowledged kick ended was refreshed by a request that began after it.
    KickUndone,
    /// A client sent the token of its last answer, and nobody had ended its session.
    ClientRefused,
    /// Two holders of one token both went on with it, each twice and outside the window of the other.
    TwoLiveChains,
    /// A verifier that is past the acknowledged position accepts a token of before.
    RevokedTokenAccepted,
    /// A verifier's list is as of a time after the acknowledgement, and does not have it.
    StalenessUnderstated,
}

#[derive(Debug, Clone, Hash)]
pub struct Promises {
    pub clients: Vec<Client>,
    pub sessions: BTreeMap<Handle, Session>,
    pub issued: Vec<Issued>,
    /// Where the log says so; `None` while a failover has lost it and a living node has not yet put it back.
    pub acknowledged: Vec<Option<Seq>>,
    /// Where the log last was in order again after a failover.
    pub put_back: Seq,
    pub verifier: Verifier,
    pub broken: Option<Broken>,
}

/// Who holds a refresh token.
#[derive(Debug, Clone, Hash)]
pub struct Client {
    pub sid: Handle,
    /// Of the last answer that reached it.
    pub generation: u64,
    pub waiting: u8,
    /// New generations it was given since it last held the same as another.
    pub advances: u8,
}

#[derive(Debug, Clone, Default, Hash)]
pub struct Session {
    /// By an acknowledged kick.
    pub ended: Option<u8>,
    /// A kick was under way when it was opened, or began later; or a failover lost its login.
    pub may_end: bool,
}

/// An access token that was handed out.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Issued {
    pub token: Token,
    /// By which acknowledgement.
    pub ended: Option<u8>,
}

/// One that loads lists from whichever node.
#[derive(Debug, Clone, Default, Hash)]
pub struct Verifier {
    pub seq: Seq,
    pub as_of: u64,
    /// Acknowledgements that its as-of says it has.
    pub vouched: u8,
    /// Handles, and the as-of of the list that brought each.
    pub held: BTreeMap<Handle, u64>,
}

impl Verifier {
    fn accepts(&self, token: &Token, now: u64, leeway_secs: u64) -> bool {
        now <= token.expires + leeway_secs
            && !self.held.contains_key(&token.gid)
            && !self.held.contains_key(&token.sid)
    }

    /// A list of what a node holds past `seq`.
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
    /// A token that was granted, and may still be on its way. Of a session that has ended it is void from the start,
    /// unless it was granted by a node that could not know.
    pub fn grant(&mut self, token: Token, excused: bool) {
        let ended = self.sessions.get(&token.sid).and_then(|session| session.ended).filter(|_| !excused);
        let issued = Issued { token, ended };
        if !self.issued.contains(&issued) {
            self.issued.push(issued);
        }
    }

    /// What was handed out before a request began is over; with a kick the sessions are too.
    pub fn acknowledge(&mut self, issued_before: u8, position: Option<Seq>, sessions_too: bool) {
        let number = self.acknowledged.len() as u8;
        // One that a failover overtook counts from where the log was put back.
        self.acknowledged.push(position.map(|position| position.max(self.put_back)));
        for issued in &mut self.issued[..usize::from(issued_before)] {
            issued.ended.get_or_insert(number);
            if sessions_too {
                self.sessions.entry(issued.token.sid).or_default().ended.get_or_insert(number);
            }
        }
    }

    /// What may be vouched for by whoever confirms now.
    pub fn vouches(&self) -> u8 {
        self.acknowledged.iter().take_while(|position| position.is_some()).count() as u8
    }

    /// Two holders of one session's tokens are told apart only outside the window.
    pub fn count(&mut self, client: u8, how: How) {
        let sid = self.clients[usize::from(client)].sid;
        match how {
            How::Advance => {
                let advances = &mut self.clients[usize::from(client)].advances;
                *advances = (*advances + 1).min(2);
            }
            How::Repeat | How::Login => self.count_anew(sid),
        }
        if self.clients.iter().filter(|client| client.sid == sid && client.advances == 2).count() > 1 {
            self.broken = Some(Broken::TwoLiveChains);
        }
    }

    pub fn count_anew(&mut self, sid: Handle) {
        self.clients.iter_mut().filter(|client| client.sid == sid).for_each(|client| client.advances = 0);
    }

    /// Looks at what the verifier would say now.
    pub fn look(&mut self, now: u64, leeway_secs: u64) {
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
