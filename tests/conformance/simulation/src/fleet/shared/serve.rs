//! Messages between the gateways and the store.

use super::super::name;
use super::super::store::{Bucket, Entry, Value};
use super::Shared;
use super::mail::{Answer, Mail, Message, Request, Watched};
use crate::world::World;

impl Shared {
    pub(super) fn send(&mut self, gateway: usize, request: Request) {
        let session = self.members[gateway].session.number;
        self.mail(gateway, session, Message::Request(request));
    }

    pub(super) fn answer(&mut self, gateway: usize, session: u64, answer: Answer) {
        self.mail(gateway, session, Message::Answer(answer));
    }

    fn mail(&mut self, gateway: usize, session: u64, message: Message) {
        let mail = Mail {
            gateway,
            session,
            message,
        };
        let road = &mut self.members[gateway].road;
        self.post.send(&mail, road, &mut self.rng, self.at_ms);
    }

    /// Handles a message from the store.
    pub(super) fn deliver(&mut self, worlds: &mut [World], gateway: usize, session: u64, answer: Answer) {
        let at_ms = self.at_ms;
        let member = &mut self.members[gateway];
        if member.cluster.is_none() || session != member.session.number {
            return;
        }
        if member.is_suspended {
            member.waiting.push((session, answer));
            return;
        }
        member.session.handle(answer, at_ms);
        self.obey(worlds, gateway);
    }

    /// Handles a message to the store. Writes count even if the connection is gone.
    pub(super) fn serve(&mut self, gateway: usize, session: u64, request: Request) {
        if self.is_silent {
            return;
        }
        if !self.is_up {
            return self.answer(gateway, session, Answer::Closed);
        }
        // A connection to an earlier process of the store is closed.
        if matches!(request, Request::ReadLease) {
            self.sessions.insert((gateway, session));
        } else if !self.sessions.contains(&(gateway, session)) {
            return self.answer(gateway, session, Answer::Closed);
        }
        let own = name(gateway);
        match request {
            Request::ReadLease => {
                let entry = self.store.get(Bucket::Leases, &own).cloned();
                self.answer(gateway, session, Answer::Lease(entry));
            }
            Request::Claim { expected, value } => {
                let found = self.store.get(Bucket::Leases, &own).map(|entry| entry.revision);
                let is_claimed = found == expected;
                if is_claimed {
                    let entry = self.store.put(Bucket::Leases, &own, Value::Put(value));
                    self.tell(&entry);
                }
                self.answer(gateway, session, Answer::Claimed(is_claimed));
            }
            // It was repeated.
            Request::Watch
                if self.members[gateway]
                    .watching
                    .is_some_and(|(it, _)| it == session) => {}
            Request::Watch => {
                self.members[gateway].watching = Some((session, 0));
                let rows = self.store.end_of(Bucket::Rows);
                let leases = self.store.end_of(Bucket::Leases);
                self.answer(gateway, session, Answer::Watching { rows, leases });
                for bucket in [Bucket::Rows, Bucket::Leases] {
                    let entries = self.store.entries(bucket);
                    let count = entries.len();
                    for (index, entry) in entries.into_iter().enumerate() {
                        let rest = Some(count - index - 1);
                        self.watched(gateway, entry, rest);
                    }
                }
            }
            Request::Write(bucket, key, value) => {
                let entry = self.store.put(bucket, &key, value);
                self.tell(&entry);
                self.answer(gateway, session, Answer::Written);
            }
        }
    }

    /// Notifies all watchers.
    pub(super) fn tell(&mut self, entry: &Entry) {
        for gateway in 0..self.members.len() {
            self.watched(gateway, entry.clone(), None);
        }
    }

    fn watched(&mut self, gateway: usize, entry: Entry, rest: Option<usize>) {
        if let Some((session, count)) = &mut self.members[gateway].watching {
            let (session, number) = (*session, *count);
            *count += 1;
            self.answer(gateway, session, Answer::Entry(Watched { entry, number, rest }));
        }
    }
}
