//! Clients in two places, with two sockets or with a new id at every connect, and clients that flap.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::super::sentences::span;
use super::super::sessions::Session;
use super::{MAX_COMPARED, Memory, Places, finding, groups, is_recent, overlap};
use crate::findings::{Confidence, Finding, FindingKind, quoted, quoted_list};
use crate::model::key::PresenceKey;
use crate::server::LeaveCause;

/// A client that begins at most this long after another ended may be its next run, in ms.
const NEXT_WITHIN_MS: u64 = 30_000;
/// It may begin this much before the other one closes, in ms.
const NOTICED_WITHIN_MS: u64 = 5_000;
/// From this number on, changes of the id from one connection to the next do not count as chance.
const NEW_IDS: usize = 2;
/// Least number of ends within [`FLAP_WINDOW_MS`] for a client that flaps.
const FLAPS: usize = 6;
/// The window of [`FLAPS`], in ms.
const FLAP_WINDOW_MS: u64 = 300_000;
/// Longest stay that counts as ending at once, in ms.
const SHORT_STAY_MS: u64 = 5_000;

/// One id that is live in two places.
pub(super) fn two_places(memory: &Memory<'_>, places: &Places<'_>, found: &mut Vec<Finding>) {
    for group in groups(memory.live().filter(|session| session.is_tracked), identity) {
        let Some((a, b, difference)) = pair(&group, other_place) else {
            continue;
        };
        let confidence = match difference {
            Difference::Ips => Confidence::Medium,
            Difference::Devices | Difference::Hosts => Confidence::High,
        };
        let id = quoted(
            a.client
                .instance_id
                .as_deref()
                .or(a.device_id)
                .unwrap_or_default(),
        );
        let evidence = match difference {
            Difference::Devices => format!("The id {id} is live with two device keys."),
            Difference::Hosts => format!(
                "The id {id} is live on the hosts {} and {}.",
                quoted(a.name()),
                quoted(b.name())
            ),
            Difference::Ips => format!(
                "The id {id} is live at the addresses {} and {}.",
                quoted(a.ip.unwrap_or_default()),
                quoted(b.ip.unwrap_or_default())
            ),
        };
        let rows = places.of_all(group);
        found.push(finding(
            FindingKind::IdInTwoPlaces,
            confidence,
            rows,
            vec![evidence],
        ));
    }
    taking_turns(memory, found);
}

/// Live connections whose beacons write different hosts to one row in turn. Those of ephemeral modes count, too: their
/// beacons are all that they write.
fn taking_turns(memory: &Memory<'_>, found: &mut Vec<Finding>) {
    let known: BTreeSet<usize> = found
        .iter()
        .filter(|finding| finding.kind == FindingKind::IdInTwoPlaces)
        .flat_map(|finding| finding.rows.iter().copied())
        .collect();
    for (place, row) in memory.list.iter().enumerate() {
        let turn = row.id.and_then(|id| memory.roster.turn(id));
        let Some(turn) = turn.filter(|turn| is_recent(turn.at_ms, memory.now_ms)) else {
            continue;
        };
        let [Some(a), Some(b)] = turn.conns.map(|serial| memory.live_with(serial)) else {
            continue;
        };
        if known.contains(&place) {
            continue;
        }
        let id = quoted(id_text(b));
        let evidence = if a.name() == b.name() {
            format!("Beacons of two live connections with the id {id} write different hosts in turn.")
        } else {
            format!(
                "Beacons of the live connections of {} and {} write different hosts for the id {id} in turn.",
                quoted(a.name()),
                quoted(b.name())
            )
        };
        found.push(finding(
            FindingKind::IdInTwoPlaces,
            Confidence::High,
            vec![place],
            vec![evidence],
        ));
    }
}

/// How two connections of one id are in two places.
#[derive(Clone, Copy, Debug)]
enum Difference {
    Devices,
    Hosts,
    Ips,
}

fn other_place(a: &Session<'_>, b: &Session<'_>) -> Option<Difference> {
    let host = |session: &Session<'_>| {
        session
            .client
            .display_name
            .as_deref()
            .and_then(PresenceKey::of_name)
    };
    let (ips, hosts) = (a.ip.zip(b.ip), host(a).zip(host(b)));
    // A client may reach the gateway by both families.
    let has_other_ip = ips.is_some_and(|(a, b)| a != b && a.contains(':') == b.contains(':'));
    if a.device_id.zip(b.device_id).is_some_and(|(a, b)| a != b) {
        Some(Difference::Devices)
    } else if !overlap(a, b) {
        None
    } else if hosts.is_some_and(|(a, b)| a != b) {
        Some(Difference::Hosts)
    } else if has_other_ip {
        Some(Difference::Ips)
    } else {
        None
    }
}

/// Two live sockets that state one client.
pub(super) fn two_sockets(memory: &Memory<'_>, places: &Places<'_>, found: &mut Vec<Finding>) {
    for group in groups(memory.live().filter(|session| session.is_tracked), |session| {
        let client = session.client;
        client.instance_id.as_ref()?;
        Some((
            identity(session)?,
            &*client.id,
            &*client.mode,
            session.role.as_str(),
        ))
    }) {
        let same =
            |a: &Session<'_>, b: &Session<'_>| (overlap(a, b) && other_place(a, b).is_none()).then_some(());
        let Some((_, session, ())) = pair(&group, same) else {
            continue;
        };
        // Not a dead socket whose end was not noticed yet.
        let group: Vec<_> = group
            .into_iter()
            .filter(|other| same(session, other).is_some())
            .collect();
        let evidence = format!(
            "{} live connections of the {} have the id {}, the mode {} and the role {}.",
            group.len(),
            session.words(),
            quoted(session.client.instance_id.as_deref().unwrap_or_default()),
            quoted(&session.client.mode),
            session.role.as_str()
        );
        let rows = places.of_all(group);
        found.push(finding(
            FindingKind::TwoSockets,
            Confidence::Medium,
            rows,
            vec![evidence],
        ));
    }
}

/// Clients that connect with another id each time after the previous connection ended.
pub(super) fn new_ids(memory: &Memory<'_>, places: &Places<'_>, found: &mut Vec<Finding>) {
    for group in groups(memory.recent().filter(|session| session.is_tracked), |session| {
        let client = session.client;
        identity(session)?;
        let name = client.display_name.as_deref();
        // Without a name the address distinguishes programs.
        let place = if name.is_some() { None } else { session.place };
        Some((
            (name, place, client.model_identifier.as_deref()),
            (&*client.id, &*client.version, &*client.platform),
            (&*client.mode, session.role.as_str()),
        ))
    }) {
        let Some(changes) = changes(&group) else { continue };
        if changes.count < NEW_IDS {
            continue;
        }
        let confidence = if changes.count > NEW_IDS || changes.longest_gap_ms <= SHORT_STAY_MS {
            Confidence::High
        } else {
            Confidence::Medium
        };
        let which = if changes.count + 1 == group.len() {
            "Each".into()
        } else {
            format!("{} of them", changes.count)
        };
        let ids = quoted_list(&mut group.iter().map(|session| id_text(session)));
        let evidence = vec![
            format!(
                "The {} connected {} times, each time with another id: {ids}.",
                group[0].words(),
                group.len()
            ),
            format!(
                "{which} began at most {} after the one before ended.",
                span(changes.longest_gap_ms)
            ),
        ];
        let rows = places.of_all(group);
        found.push(finding(FindingKind::NewIdEachConnect, confidence, rows, evidence));
    }
}

/// How often a connection with another id began soon after the previous connection ended.
struct Changes {
    count: usize,
    /// The longest of the times in between.
    longest_gap_ms: u64,
}

/// `None` if connections overlapped or an id was used again: then they are several programs, or one that keeps its id.
fn changes(group: &[&Session<'_>]) -> Option<Changes> {
    let mut changes = Changes {
        count: 0,
        longest_gap_ms: 0,
    };
    let mut seen = BTreeSet::new();
    for (at, session) in group.iter().enumerate() {
        if !seen.insert(identity(session)) {
            return None;
        }
        let Some(before) = at.checked_sub(1).map(|at| group[at]) else {
            continue;
        };
        // The end of a connection without a close is noticed late.
        before.left?;
        let joined_ms = session.trace.joined_ms;
        if before.alive_ms > joined_ms.saturating_add(NOTICED_WITHIN_MS) {
            return None;
        }
        let gap_ms = joined_ms.saturating_sub(before.alive_ms);
        if gap_ms <= NEXT_WITHIN_MS {
            changes.count += 1;
            changes.longest_gap_ms = changes.longest_gap_ms.max(gap_ms);
        }
    }
    Some(changes)
}

/// Clients that repeatedly connect and disconnect.
pub(super) fn flapping(memory: &Memory<'_>, places: &Places<'_>, found: &mut Vec<Finding>) {
    let ended = memory.sessions.iter().filter(|session| {
        let is_in_window = |at_ms: u64| at_ms.saturating_add(FLAP_WINDOW_MS) >= memory.now_ms;
        session.is_tracked && session.left.is_some_and(|(at_ms, _)| is_in_window(at_ms))
    });
    for group in groups(ended, |session| {
        let name = session.client.display_name.as_deref();
        let program = (&*session.client.id, &*session.client.mode, name);
        let id = identity(session);
        // Without an id, name and address identify it.
        let place = if id.is_some() { None } else { session.place };
        Some((id, program, place, session.role.as_str()))
    }) {
        if group.len() < FLAPS {
            continue;
        }
        let (cause, is_sure) = likely_cause(&group);
        let evidence = vec![
            format!(
                "The {} connected and disconnected {} times within {}.",
                group[0].words(),
                group.len(),
                span(FLAP_WINDOW_MS)
            ),
            cause.to_string(),
        ];
        let confidence = if is_sure {
            Confidence::High
        } else {
            Confidence::Medium
        };
        let rows = places.of_all(group);
        found.push(finding(FindingKind::Flapping, confidence, rows, evidence));
    }
}

/// Why most of them ended, and whether that is certain.
fn likely_cause(group: &[&Session<'_>]) -> (&'static str, bool) {
    let most = |is_wanted: &dyn Fn(&Session<'_>, LeaveCause) -> bool| {
        let causes = group
            .iter()
            .filter_map(|session| Some((session, session.left?.1)));
        causes
            .filter(|(session, cause)| is_wanted(session, *cause))
            .count()
            * 2
            > group.len()
    };
    let stay_ms = |session: &Session<'_>| {
        let left_ms = session.left.map_or(session.alive_ms, |(left_ms, _)| left_ms);
        left_ms.saturating_sub(session.trace.joined_ms)
    };
    if most(&|_, cause| cause == LeaveCause::Silent) {
        (
            "The gateway closed most of them because no pong came: a network or a proxy drops frames, or the client does \
             not read.",
            true,
        )
    } else if most(&|session, cause| cause == LeaveCause::WeClosed && session.refused_calls > 0) {
        (
            "The gateway closed most of them for repeated calls that the role of the client is refused.",
            true,
        )
    } else if most(&|_, cause| cause == LeaveCause::WeClosed) {
        (
            "The gateway closed most of them: the client read too slowly or broke the protocol (its log line `closed` \
             has the reason).",
            true,
        )
    } else if most(&|session, cause| cause == LeaveCause::PeerClosed && stay_ms(session) <= SHORT_STAY_MS) {
        (
            "The client closed most of them within 5 s after the handshake: it does not accept the answer, or it is \
             restarted.",
            true,
        )
    } else {
        ("The client or the network between closed most of them.", false)
    }
}

/// The key of the id that a client states or proves.
fn identity(session: &Session<'_>) -> Option<String> {
    let instance = session.client.instance_id.as_deref();
    let key = instance.or(session.device_id).and_then(PresenceKey::parse)?;
    Some(key.as_str().into())
}

fn id_text<'a>(session: &Session<'a>) -> &'a str {
    let instance = session.client.instance_id.as_deref();
    instance.or(session.device_id).unwrap_or_default()
}

/// The first two of the newest in the group for which `is_one` is true.
fn pair<'a, T>(
    group: &[&'a Session<'a>],
    is_one: impl Fn(&Session<'_>, &Session<'_>) -> Option<T>,
) -> Option<(&'a Session<'a>, &'a Session<'a>, T)> {
    let newest = &group[group.len().saturating_sub(MAX_COMPARED)..];
    newest.iter().enumerate().find_map(|(at, a)| {
        let later = newest[at + 1..].iter();
        later.into_iter().find_map(|b| Some((*a, *b, is_one(a, b)?)))
    })
}
