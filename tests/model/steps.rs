//! The steps of a request: the desk's loop, one step per exchange with the store.

use doorlist::domain::{Appended, Applied};
use doorlist_verifier::Seq;

use crate::decide::{Decided, Decision, alice};
use crate::node::{Answer, How, Node, Phase, Request, Resume, Swapped, Task, Waits, Write};
use crate::promises::{Broken, Client, Session};
use crate::rules::{Replicas, Rule};
use crate::store::Replica;
use crate::world::{Doorlist, World, handle};

impl Doorlist {
    /// Executes the next step of the node's request.
    pub fn step(&self, world: &mut World, node: usize) {
        let Some(mut task) = world.nodes[node].task.take() else { return };
        let next = match task.phase.clone() {
            Phase::ReadRecord => {
                task.read = Some(world.store.read(&self.scope));
                Some(Phase::ReadNews)
            }
            Phase::ReadNews => self.read_news(world, node, &mut task),
            Phase::Append(write) => self.append(world, node, write),
            Phase::Swap(write) => self.swap(world, &task, write),
            Phase::Tell(write, swapped) => self.tell(world, node, &write, swapped),
            Phase::RestoreRead(then) => {
                let whole = world.store.page(Seq::ZERO, self.limits.retain_secs());
                let lost = world.nodes[node].view.lost_by(&whole).map(|lost| lost.entry.clone());
                let lost = lost.filter(|_| self.scope.has(Rule::UnionAfterFailover)).collect();
                Some(Phase::RestoreWrite(lost, then))
            }
            Phase::RestoreWrite(lost, then) => self.restore(world, node, lost, then),
            Phase::RestoreHear(then) => {
                let whole = world.store.page(Seq::ZERO, self.limits.retain_secs());
                world.nodes[node].view.change(|view| view.renew(&whole));
                self.resume(world, node, &mut task, then)
            }
            Phase::Confirm(then) => {
                if world.store.confirms(world.nodes[node].view.position()) {
                    let (confirmed, vouches) = (world.store.now, world.promises.vouches());
                    Some(Phase::CatchUp { through: world.store.log.last, confirmed, vouches, then })
                } else {
                    Some(Phase::RestoreRead(Resume::Confirm(Box::new(then))))
                }
            }
            Phase::CatchUp { through, confirmed, vouches, then } => {
                let caught_up = Resume::CaughtUp { through, confirmed, vouches, then: Box::new(then) };
                match self.hear_news(world, node) {
                    Applied::Broken => Some(Phase::RestoreRead(caught_up)),
                    Applied::News | Applied::Nothing => self.resume(world, node, &mut task, caught_up),
                }
            }
            Phase::Trim(through) => {
                world.store.trim(through);
                world.nodes[node].view.change(|view| view.trim(through));
                Some(Phase::Answer(Answer::Beaten))
            }
            Phase::Answer(answer) => {
                self.answer(world, &task, answer);
                None
            }
        };
        match next {
            Some(Phase::Answer(answer)) if self.is_heard_at_once(answer) => {
                self.note(world, &task, answer);
                self.answer(world, &task, answer);
                world.nodes[node].task = Some(task);
                self.drop_task(world, node);
            }
            Some(phase) => {
                if let Phase::Answer(answer) = phase {
                    self.note(world, &task, answer);
                }
                task.phase = phase;
                world.nodes[node].task = Some(task);
            }
            None => {
                world.nodes[node].task = Some(task);
                self.drop_task(world, node);
            }
        }
    }

    fn hear_news(&self, world: &mut World, node: usize) -> Applied {
        let view = &mut world.nodes[node].view;
        let page = world.store.page(view.position().seq, self.limits.retain_secs());
        view.change(|view| view.apply(&page))
    }

    fn read_news(&self, world: &mut World, node: usize, task: &mut Task) -> Option<Phase> {
        if self.scope.has(Rule::NewsAfterRecord) && self.hear_news(world, node) == Applied::Broken {
            return Some(Phase::RestoreRead(Resume::ReadRecord));
        }
        let (_, record) = task.read.as_ref()?;
        let log = world.nodes[node].view.of(&alice());
        task.seen.excused = !world.lost.iter().all(|entry| world.store.holds(entry));
        let decision =
            Decision { scope: &self.scope, limits: &self.limits, now: world.store.clock(), log, record };
        let drawn = &mut world.drawn;
        let mut draw = || {
            *drawn += 1;
            handle(u64::from(*drawn))
        };
        if let Some(write) = decision.heal(&mut draw) {
            return Some(self.write(write));
        }
        if let Some(then) = task.healing.take() {
            return self.resume(world, node, task, then);
        }
        Some(match decision.request(task.request, &mut task.begun, draw) {
            Decided::Write(write) => self.write(write),
            Decided::Answer(answer @ (Answer::Refused | Answer::Granted { .. }))
                if world.nodes[node].confirmed != world.store.now =>
            {
                Phase::Confirm(Resume::Answer(answer))
            }
            Decided::Answer(answer) => Phase::Answer(answer),
            // No replica confirms the write, so the caller gets no answer.
            Decided::Already(_) if self.is_unheard(world, Waits::Yes) => return None,
            Decided::Already(answer) => Phase::Answer(answer),
        })
    }

    fn write(&self, write: Write) -> Phase {
        if write.entries.is_empty() || !self.scope.has(Rule::AppendFirst) {
            Phase::Swap(write)
        } else {
            Phase::Append(write)
        }
    }

    fn append(&self, world: &mut World, node: usize, mut write: Write) -> Option<Phase> {
        let seen = world.nodes[node].view.position().seq;
        world.store.append(write.entries.clone(), seen, &self.scope);
        if self.is_unheard(world, write.waits) {
            return None;
        }
        if let Some(Answer::Kicked(position) | Answer::Voided(position)) = &mut write.answer {
            *position = world.store.log.last;
        }
        Some(match self.scope.has(Rule::AppendFirst) {
            true => Phase::Swap(write),
            false => Phase::Tell(write, Swapped::Yes),
        })
    }

    fn swap(&self, world: &mut World, task: &Task, write: Write) -> Option<Phase> {
        let (version, _) = task.read.as_ref()?;
        let fits = world.store.swap(*version, write.record.clone(), &self.scope);
        if self.is_unheard(world, write.waits) {
            return None;
        }
        Some(match (fits, self.scope.has(Rule::AppendFirst)) {
            // There is no entry to publish.
            (true, true) if write.entries.is_empty() => write.answer.map_or(Phase::ReadRecord, Phase::Answer),
            (false, true) if write.entries.is_empty() => Phase::ReadRecord,
            (true, false) if !write.entries.is_empty() => Phase::Append(write),
            (true, _) => Phase::Tell(write, Swapped::Yes),
            (false, false) => Phase::ReadRecord,
            (false, true) => Phase::Tell(write, Swapped::No),
        })
    }

    /// Whether a writer that waits for the replica would never get an answer.
    pub fn is_unheard(&self, world: &World, waits: Waits) -> bool {
        self.scope.replicas == Replicas::Waited
            && self.scope.has(Rule::Wait)
            && waits == Waits::Yes
            && matches!(world.store.replica, Replica::Behind { .. })
    }

    /// The node's verifiers receive the written entries before the caller gets the answer.
    fn tell(&self, world: &mut World, node: usize, write: &Write, swapped: Swapped) -> Option<Phase> {
        let heard = if write.entries.is_empty() { Applied::Nothing } else { self.hear_news(world, node) };
        let then = match (swapped, write.answer) {
            (Swapped::Yes, Some(answer)) => Resume::Answer(answer),
            _ => Resume::ReadRecord,
        };
        match (heard, then) {
            (Applied::Broken, then) => Some(Phase::RestoreRead(then)),
            (_, Resume::Answer(answer)) => Some(Phase::Answer(answer)),
            _ => Some(Phase::ReadRecord),
        }
    }

    /// Puts entries back. The record of their subject is healed later.
    fn restore(&self, world: &mut World, node: usize, lost: Vec<Appended>, then: Resume) -> Option<Phase> {
        let seen = world.nodes[node].view.position().seq;
        let entries = lost.iter().cloned().chain([Appended::Mark]).collect();
        world.store.append(entries, seen, &self.scope);
        let unfinished = &mut world.nodes[node].unfinished;
        let new: Vec<_> = lost.into_iter().filter(|entry| !unfinished.contains(entry)).collect();
        unfinished.extend(new);
        match self.is_unheard(world, Waits::Yes) {
            true => None,
            false => Some(Phase::RestoreHear(then)),
        }
    }

    /// Continues after lost entries have been put back, or after the record has been healed.
    fn resume(&self, world: &mut World, node: usize, task: &mut Task, then: Resume) -> Option<Phase> {
        match then {
            Resume::ReadRecord => Some(Phase::ReadRecord),
            Resume::Confirm(then) => Some(Phase::Confirm(*then)),
            Resume::Finished { put_back, then } => {
                world.nodes[node].unfinished.retain(|entry| !put_back.contains(entry));
                self.end_excuse(world, &put_back);
                self.resume(world, node, task, *then)
            }
            Resume::CaughtUp { through, then, .. } if world.nodes[node].view.position().seq < through => {
                Some(Phase::Confirm(*then))
            }
            then @ Resume::CaughtUp { .. }
                if self.scope.has(Rule::HealBeforeConfirm) && !world.nodes[node].unfinished.is_empty() =>
            {
                let put_back = world.nodes[node].unfinished.clone();
                task.healing = Some(Resume::Finished { put_back, then: Box::new(then) });
                Some(Phase::ReadRecord)
            }
            Resume::CaughtUp { confirmed, vouches, then, .. } => {
                let unfinished = std::mem::take(&mut world.nodes[node].unfinished);
                self.end_excuse(world, &unfinished);
                // If a failover has lost entries since the store's confirmation, these entries can still be missing.
                let vouches = vouches.min(world.promises.vouches());
                let Node { confirmed: last, vouches: vouched, .. } = &mut world.nodes[node];
                *last = confirmed.max(*last);
                *vouched = vouches.max(*vouched);
                self.resume(world, node, task, *then)
            }
            Resume::Confirmed => self.heal_expired(world, node, task),
            Resume::Trim(through) => Some(Phase::Trim(through)),
            Resume::Answer(answer) => Some(Phase::Answer(answer)),
        }
    }

    /// At a heartbeat, the node heals the records of the subjects whose entries it is about to trim. At its start, the
    /// node heals the records of the subjects of all entries.
    fn heal_expired(&self, world: &mut World, node: usize, task: &mut Task) -> Option<Phase> {
        let view = &world.nodes[node].view;
        if task.request == Request::Start {
            return Some(match view.is_empty() {
                true => Phase::Answer(Answer::Beaten),
                false => {
                    task.healing = Some(Resume::Answer(Answer::Beaten));
                    Phase::ReadRecord
                }
            });
        }
        let Some(through) = view.expired_through(world.store.clock()) else {
            return Some(Phase::Answer(Answer::Beaten));
        };
        if view.subjects_through(through).is_empty() || !self.scope.has(Rule::HealBeforeTrim) {
            return Some(Phase::Trim(through));
        }
        task.healing = Some(Resume::Trim(through));
        Some(Phase::ReadRecord)
    }

    /// Whether the caller receives the answer in the same step. An acknowledgement that arrived later would only
    /// weaken the promise. A client that waits does nothing else. So the time of the answer matters in only two
    /// cases: the answer can be lost, or another tab of the client sends a request.
    pub fn is_heard_at_once(&self, answer: Answer) -> bool {
        match answer {
            Answer::Kicked(_) | Answer::Voided(_) | Answer::Beaten => true,
            Answer::Granted { .. } | Answer::Refused => {
                let most = &self.scope.most;
                most.lost_answers == 0 && most.crashes == 0 && self.scope.tabs == 1
            }
        }
    }

    /// Records the effects that an answer has as soon as it is ready, even if the answer never arrives.
    pub fn note(&self, world: &mut World, task: &Task, answer: Answer) {
        let Answer::Granted { token, how, .. } = answer else { return };
        let kicks = |task: &Option<Task>| matches!(task, Some(Task { request: Request::Kick { .. }, .. }));
        let promises = &mut world.promises;
        if how == How::Login {
            let gone = world.store.records.record.session(token.sid).is_none();
            let may_end = gone || world.nodes.iter().any(|node| kicks(&node.task));
            promises.sessions.insert(token.sid, Session { ended: None, may_end });
        }
        promises.grant(token, task.seen.excused);
        if let Request::Refresh { client, .. } = task.request {
            if task.seen.ended && !task.seen.excused {
                promises.broken = Some(Broken::KickUndone);
            }
            if self.scope.thief {
                promises.count(client, how);
            }
        }
    }

    /// The caller receives the answer.
    pub fn answer(&self, world: &mut World, task: &Task, answer: Answer) {
        let in_order = world.lost.is_empty();
        let promises = &mut world.promises;
        match (task.request, answer) {
            (Request::Refresh { client, .. }, Answer::Granted { generation, .. }) => {
                promises.clients[usize::from(client)].generation = generation;
            }
            (Request::Login { .. }, Answer::Granted { token, generation, .. }) => {
                promises.clients.push(Client { sid: token.sid, generation, waiting: 0, advances: 0 });
            }
            (Request::Refresh { sid, .. }, Answer::Refused)
                if !promises.sessions[&sid].may_end && !self.scope.thief =>
            {
                promises.broken = Some(Broken::ClientRefused);
            }
            (_, Answer::Kicked(position)) => {
                promises.acknowledge(task.seen.issued, in_order.then_some(position), true);
            }
            (_, Answer::Voided(position)) => {
                promises.acknowledge(task.seen.issued, in_order.then_some(position), false);
            }
            _ => {}
        }
    }
}
