//! Gateways that share their rows through a store (SPEC 7.1).

mod mail;
mod serve;
mod session;

use std::collections::BTreeSet;
use std::mem::take;

use presence_core::cluster::{Cluster, ClusterConfig, ClusterInput, ClusterOutput, Restart};

use self::mail::{Answer, Message, Post, Request, Road};
use self::session::{Effect, SILENCE_MS, Session};
use super::store::{Bucket, Store, Value};
use super::{Fleet, Gateway, Links, name};
use crate::Rng;
use crate::world::World;

/// How far the store's clock is set forward at most, in ms.
const MAX_STEP_MS: u64 = 7_200_000;
/// Time after which the store closes a silent gateway's connection, in ms.
const PATIENCE_MS: u64 = 60_000;

/// The store, and each gateway's link to it.
#[derive(Debug)]
pub struct Shared {
    rng: Rng,
    at_ms: u64,
    store: Store,
    /// Whether the store's process runs, and whether it answers.
    is_up: bool,
    is_silent: bool,
    /// The connections to that process: gateway and session.
    sessions: BTreeSet<(usize, u64)>,
    post: Post,
    members: Vec<Member>,
}

/// One gateway.
#[derive(Debug)]
struct Member {
    /// While its process runs.
    cluster: Option<Cluster>,
    session: Session,
    road: Road,
    /// Counts its processes.
    boots: u64,
    is_suspended: bool,
    suspended_ms: u64,
    /// Messages that arrived while it was suspended.
    waiting: Vec<(u64, Answer)>,
    /// The connection that the store sends changes to, and how many it sent.
    watching: Option<(u64, u64)>,
}

/// An event of the links.
#[derive(Clone, Copy, Debug)]
pub enum Deed {
    /// A gateway reaches the store again.
    Mend(usize),
    /// The store's process starts, or answers again.
    Serve,
}

impl Links for Shared {
    type Deed = Deed;

    const LATE_MS: u64 = 0;

    fn world(gateway: &Gateway, _: usize, _: usize) -> World {
        World::observing(gateway.config.clone(), Vec::new(), gateway.start)
    }

    fn new(worlds: &mut [World], seed: u64) -> Self {
        let mut rng = Rng::new(!seed);
        let store = Store::new(rng.chance(50));
        let mut shared = Self {
            rng,
            at_ms: 0,
            store,
            is_up: true,
            is_silent: false,
            sessions: BTreeSet::new(),
            post: Post::default(),
            members: (0..worlds.len()).map(Member::new).collect(),
        };
        for gateway in 0..worlds.len() {
            shared.started(worlds, gateway);
        }
        shared
    }

    fn ended(&mut self, _: &mut [World], gateway: usize, is_told: bool) {
        let member = &mut self.members[gateway];
        if is_told && member.session.is_open() {
            let name = member.session.name.clone();
            self.send(gateway, Request::Write(Bucket::Leases, name, Value::Deleted));
        }
        let member = &mut self.members[gateway];
        (member.cluster, member.watching) = (None, None);
        // Its next process has other connections.
        member.session.number += 1;
    }

    fn started(&mut self, worlds: &mut [World], gateway: usize) {
        let (now, at_ms) = (worlds[gateway].now, self.at_ms);
        let member = &mut self.members[gateway];
        member.boots += 1;
        let boot = format!("boot-{gateway}-{}", member.boots);
        let config = ClusterConfig {
            name: name(gateway).into(),
            boot_id: boot.as_str().into(),
        };
        member.cluster = Some(Cluster::new(config, &mut worlds[gateway].hub, now));
        member.session = Session::new(name(gateway), boot, member.session.number, at_ms);
    }

    fn suspended(&mut self, _: &mut [World], gateway: usize) {
        let member = &mut self.members[gateway];
        (member.is_suspended, member.suspended_ms) = (true, self.at_ms);
    }

    fn woken(&mut self, worlds: &mut [World], gateway: usize) {
        let member = &mut self.members[gateway];
        member.is_suspended = false;
        if self.at_ms - member.suspended_ms > PATIENCE_MS {
            member.watching = None;
            member.waiting.push((member.session.number, Answer::Closed));
        }
        let waiting = take(&mut member.waiting);
        let are_timers_first = self.rng.chance(50);
        if are_timers_first {
            self.handle_timeout(gateway);
        }
        for (session, answer) in waiting {
            self.deliver(worlds, gateway, session, answer);
        }
    }

    fn act(&mut self, _: &mut [World], deed: Deed) {
        match deed {
            Deed::Mend(gateway) => {
                let road = &mut self.members[gateway].road;
                (road.is_cut, road.cut_ms) = ((false, false), None);
            }
            Deed::Serve => (self.is_up, self.is_silent) = (true, false),
        }
    }

    fn advance(&mut self, ms: u64) {
        self.at_ms += ms;
        self.store.now_ms += ms;
    }

    fn slept(&mut self) {
        // Messages under way are lost.
        self.post = Post::default();
    }

    fn next_due_ms(&self, worlds: &[World]) -> Option<u64> {
        let store_ms = self.store.next_due_ms().filter(|_| self.is_up && !self.is_silent);
        let store_ms = store_ms.map(|due_ms| due_ms.saturating_sub(self.store.now_ms));
        let post_ms = self
            .post
            .next_due_ms()
            .map(|due_ms| due_ms.saturating_sub(self.at_ms));
        let members = self.members.iter().zip(worlds);
        let members = members.filter(|(member, world)| member.cluster.is_some() && world.is_served());
        let of_members = members.flat_map(|(member, world)| {
            let machine_ms = member.cluster.as_ref().and_then(|it| it.poll_timeout(&world.hub));
            [
                machine_ms.map(|due_ms| due_ms.saturating_sub(world.now.age_ms)),
                self.due_ms(member)
                    .map(|due_ms| due_ms.saturating_sub(self.at_ms)),
            ]
        });
        of_members.chain([store_ms, post_ms]).flatten().min()
    }

    fn settle(&mut self, worlds: &mut [World]) {
        let mut has_moved = true;
        while has_moved {
            has_moved = false;
            if self.is_up && !self.is_silent {
                for marker in self.store.expire() {
                    self.tell(&marker);
                    has_moved = true;
                }
            }
            while let Some(mail) = self.post.take(self.at_ms) {
                has_moved = true;
                match mail.message {
                    Message::Request(request) => self.serve(mail.gateway, mail.session, request),
                    Message::Answer(answer) => self.deliver(worlds, mail.gateway, mail.session, answer),
                }
            }
            for gateway in 0..worlds.len() {
                if worlds[gateway].is_served() {
                    self.handle_timeout(gateway);
                    has_moved |= self.obey(worlds, gateway);
                }
            }
        }
    }

    /// The store ends or stands still, its clock is set, or a gateway does not reach it.
    fn strike(fleet: &mut Fleet<Self>, rng: &mut Rng, (gateway, _): (usize, usize)) {
        let ms = rng.within(1_000..=400_000);
        let links = &mut fleet.links;
        match rng.within(0..=9) {
            0 | 1 if links.is_up => {
                links.end_store();
                fleet.plan_link(ms.min(60_000), Deed::Serve);
            }
            2 if links.is_up => {
                links.is_silent = true;
                fleet.plan_link(ms.min(60_000), Deed::Serve);
            }
            3 => links.store.now_ms += rng.within(0..=MAX_STEP_MS),
            _ => {
                let road = &mut links.members[gateway].road;
                road.is_cut = *rng.pick(&[(true, true), (true, true), (true, false), (false, true)]);
                road.cut_ms = Some(links.at_ms);
                let is_short = rng.chance(50);
                fleet.plan_link(if is_short { ms / 20 } else { ms }, Deed::Mend(gateway));
            }
        }
    }

    fn trouble(
        fleet: &mut Fleet<Self>,
        rng: &mut Rng,
        (gateway, _): (usize, usize),
    ) -> Option<(usize, usize)> {
        let links = &mut fleet.links;
        let at_ms = links.at_ms;
        let road = &mut links.members[gateway].road;
        match rng.within(0..=4) {
            0 => road.held_ms = at_ms + rng.within(0..=8_000),
            1 => road.delay_ms = *rng.pick(&[0, 1, 40, 300, 2_000]),
            2 => road.lost = *rng.pick(&[0, 1, 5, 30]),
            3 => road.twice = *rng.pick(&[0, 5, 30]),
            _ => road.is_mixed = rng.chance(50),
        }
        None
    }

    fn calm(&mut self) {
        for member in &mut self.members {
            (member.road.delay_ms, member.road.lost, member.road.twice) = (1, 0, 0);
            member.road.is_mixed = false;
        }
    }

    /// All gateways have the same digest of the fleet.
    fn is_settled(fleet: &mut Fleet<Self>) -> Option<bool> {
        let digest = |world: &mut World| {
            let (_, digest) = world.hub.fleet_digest(world.now).unwrap();
            digest.to_hex()
        };
        let digests: Vec<String> = fleet.worlds.iter_mut().map(digest).collect();
        Some(digests.iter().all(|digest| *digest == digests[0]))
    }
}

impl Shared {
    /// Number of writes that the store took.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.store.writes
    }

    /// The store's process ends; reachable gateways are notified.
    fn end_store(&mut self) {
        self.is_up = false;
        self.store.end();
        self.sessions.clear();
        for gateway in 0..self.members.len() {
            self.members[gateway].watching = None;
            let session = self.members[gateway].session.number;
            self.answer(gateway, session, Answer::Closed);
        }
    }

    /// The next deadline of a gateway's session.
    fn due_ms(&self, member: &Member) -> Option<u64> {
        let silent_ms = member.road.cut_ms.filter(|_| member.session.is_open());
        let silent_ms = silent_ms.map(|cut_ms| cut_ms + SILENCE_MS);
        [member.session.due_ms(), silent_ms].into_iter().flatten().min()
    }

    fn handle_timeout(&mut self, gateway: usize) {
        let member = &mut self.members[gateway];
        if member.cluster.is_none() {
            return;
        }
        member.session.handle_timeout(self.at_ms);
        if member
            .road
            .cut_ms
            .is_some_and(|cut_ms| cut_ms + SILENCE_MS <= self.at_ms)
        {
            member.session.lose(self.at_ms);
        }
    }

    /// Carries out a gateway's outputs; returns whether there were any.
    fn obey(&mut self, worlds: &mut [World], gateway: usize) -> bool {
        let mut has_moved = false;
        loop {
            let world = &mut worlds[gateway];
            let Member { cluster, session, .. } = &mut self.members[gateway];
            let Some(cluster) = cluster else {
                return has_moved;
            };
            if !session.effects.is_empty() {
                has_moved = true;
                for effect in take(&mut session.effects) {
                    self.effect(world, gateway, effect);
                }
                continue;
            }
            let Some(output) = cluster.poll_output(&mut world.hub, world.now) else {
                world.settle();
                return has_moved;
            };
            has_moved = true;
            match output {
                ClusterOutput::Write(batch) => {
                    let rows = batch.rows.into_iter().map(|row| (row.number, row.value));
                    session.write(rows.collect(), batch.lease, self.at_ms);
                }
                ClusterOutput::Restart(Restart::NameTaken) => session.name_taken(self.at_ms),
                ClusterOutput::Restart(_) => session.restart(self.at_ms),
                ClusterOutput::Warn(text) => panic!("{text}"),
            }
        }
    }

    fn effect(&mut self, world: &mut World, gateway: usize, effect: Effect) {
        let inputs = match effect {
            Effect::Send(request) => return self.send(gateway, request),
            Effect::Hand(inputs) => inputs,
            Effect::End => {
                self.members[gateway].watching = None;
                vec![ClusterInput::Left]
            }
        };
        if let Some(cluster) = &mut self.members[gateway].cluster {
            cluster.handle(inputs, &mut world.hub, world.now);
        }
    }
}

impl Member {
    fn new(gateway: usize) -> Self {
        Self {
            cluster: None,
            session: Session::new(name(gateway), String::new(), 0, 0),
            road: Road::default(),
            boots: 0,
            is_suspended: false,
            suspended_ms: 0,
            waiting: Vec::new(),
            watching: None,
        }
    }
}
