//! Vectors of the merge of several gateways' rows.

use presence_core::Now;
use presence_core::cluster::{Cluster, ClusterConfig, ClusterInput, RowChange};
use presence_core::fleet::{SourceId, SourceRow, SourceUpdate};
use presence_core::model::RawEntry;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::virtual_hub::{self, START};
use crate::world::World;

/// How long rows live, unless a vector states it, in ms.
const TTL_MS: u64 = 300_000;

/// Applies a function of the merge's vectors; `None`: it is not one.
///
/// # Errors
/// Why it has no result, in words.
#[must_use]
pub fn apply(function: &str, input: &[Value]) -> Option<Result<Value, String>> {
    Some(match function {
        "mergeSources" => merge_sources(input),
        "observeSource" => observe_source(input),
        "fleetDigest" => fleet_digest(input),
        _ => return None,
    })
}

fn merge_sources(input: &[Value]) -> Result<Value, String> {
    let (names, rows): (Vec<Box<str>>, Vec<Row>) = (argument(input, 1)?, argument(input, 2)?);
    merge(argument(input, 0)?, &names, &rows, argument(input, 3)?)
}

fn observe_source(input: &[Value]) -> Result<Value, String> {
    let ttl_ms = match input.len() {
        0..=2 => TTL_MS,
        _ => argument(input, 2)?,
    };
    let steps: Vec<Step> = argument(input, 1)?;
    observe(argument(input, 0)?, &steps, ttl_ms)
}

fn fleet_digest(input: &[Value]) -> Result<Value, String> {
    let (name, rows, leased): (String, Vec<Row>, Vec<Box<str>>) =
        (argument(input, 0)?, argument(input, 1)?, argument(input, 2)?);
    digest_at(&name, &rows, &leased)
}

fn argument<T: DeserializeOwned>(input: &[Value], index: usize) -> Result<T, String> {
    let value = input
        .get(index)
        .ok_or_else(|| format!("argument {index} is missing"))?;
    serde_json::from_value(value.clone()).map_err(|error| error.to_string())
}

/// A row of another gateway.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    of: String,
    key: Box<str>,
    entry: Value,
}

/// An update of an observed gateway, or its loss, `after` ms later.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    #[serde(default)]
    after: u64,
    here: bool,
    #[serde(default)]
    put: Vec<Value>,
    #[serde(default)]
    removed: Vec<Box<str>>,
}

/// Rows of other gateways as a reader of deltas gets them, without those of the gateways themselves. They come in any
/// order, and twice.
fn merge(now_ms: u64, names: &[Box<str>], rows: &[Row], max_entries: usize) -> Result<Value, String> {
    let mut results = orders(rows.len())
        .into_iter()
        .map(|order| merge_in_order(now_ms, names, rows, &order, max_entries));
    let Some(first) = results.next().transpose()? else {
        return Err("there is no order".to_owned());
    };
    for result in results {
        let result = result?;
        if result != first {
            return Err(format!("the order counts: {first} and {result}"));
        }
    }
    Ok(first)
}

fn merge_in_order(
    now_ms: u64,
    names: &[Box<str>],
    rows: &[Row],
    order: &[usize],
    max_entries: usize,
) -> Result<Value, String> {
    let mut world = observing(now_ms, names, max_entries, TTL_MS);
    for &index in order.iter().chain(order) {
        let Row { of, key, entry } = &rows[index];
        let Some(source) = names.iter().position(|name| **name == **of) else {
            return Err(format!("no gateway {of}"));
        };
        let update = SourceUpdate {
            put: vec![source_row(key, entry, world.now)?],
            removed: Vec::new(),
            is_here: true,
        };
        world.apply(SourceId(u8::try_from(source).unwrap_or(u8::MAX)), update);
    }
    listed(&mut world)
}

/// The rows of one observed gateway after each step.
fn observe(now_ms: u64, steps: &[Step], ttl_ms: u64) -> Result<Value, String> {
    let mut world = observing(now_ms, &["home".into()], 200, ttl_ms);
    let mut lists = Vec::new();
    for step in steps {
        world.pass(step.after);
        let put = step.put.iter().map(|entry| {
            let key = entry["instanceId"].as_str().unwrap_or_default();
            source_row(key, entry, world.now)
        });
        let update = SourceUpdate {
            put: put.collect::<Result<_, _>>()?,
            removed: step.removed.clone(),
            is_here: step.here,
        };
        world.apply(SourceId(0), update);
        lists.push(listed(&mut world)?);
    }
    Ok(lists.into())
}

/// The digest of a fleet at the gateway `name`: its own row, the rows of its peers, and which of these have a lease.
fn digest_at(name: &str, rows: &[Row], leased: &[Box<str>]) -> Result<Value, String> {
    let mut world = observing(START.wall_ms, &[], 200, TTL_MS);
    let config = ClusterConfig {
        name: name.into(),
        boot_id: "boot".into(),
    };
    let mut cluster = Cluster::new(config, &mut world.hub, world.now);
    let mut inputs = vec![ClusterInput::Joining];
    for (number, Row { of, key, entry }) in rows.iter().enumerate() {
        let value = json!({ "key": key, "incarnation": 1, "stamp": number + 1, "age": 0, "entry": entry });
        inputs.push(ClusterInput::Row {
            gateway: of.as_str().into(),
            number: number as u64,
            age_ms: 0,
            change: RowChange::Put(value.to_string().into_bytes()),
        });
    }
    for gateway in leased {
        let own = rows.iter().enumerate().filter(|(_, row)| *row.of == **gateway);
        let ages: Vec<Value> = own.map(|(number, _)| json!([number, number + 1, 0])).collect();
        let value = json!({ "format": 1, "boot": "b", "incarnation": 1, "stamp": rows.len(), "rows": ages });
        inputs.push(ClusterInput::Lease {
            gateway: gateway.clone(),
            age_ms: 0,
            value: Some(value.to_string().into_bytes()),
        });
    }
    inputs.push(ClusterInput::Settled);
    cluster.handle(inputs, &mut world.hub, world.now);
    match world.hub.fleet_digest(world.now) {
        Some((_, digest)) => Ok(digest.to_hex().into()),
        None => Err("it is in no fleet".to_owned()),
    }
}

fn observing(now_ms: u64, names: &[Box<str>], max_entries: usize, ttl_ms: u64) -> World {
    let start = Now {
        wall_ms: now_ms,
        ..START
    };
    World::observing(virtual_hub::config(ttl_ms, max_entries, 0), names.to_vec(), start)
}

fn source_row(key: &str, entry: &Value, now: Now) -> Result<SourceRow, String> {
    let Some(entry) = RawEntry::read(&entry.to_string()) else {
        return Err(format!("no row: {entry}"));
    };
    let moment = |name: &str| {
        let at_ms = entry.integer(name)?;
        Some((now.age_ms + at_ms).cast_signed() - now.wall_ms.cast_signed())
    };
    Ok(SourceRow {
        key: key.into(),
        heard_ms: moment("ts").unwrap_or_default(),
        online_since_ms: moment("onlineSince"),
        last_activity_ms: moment("lastActivityAt"),
        is_gateway: key == "SELF",
        entry,
    })
}

/// The list for readers of deltas, without the rows of gateways.
fn listed(world: &mut World) -> Result<Value, String> {
    let listed = world.read_list().rows;
    let first = listed.first().and_then(|first| first.str("instanceId"));
    if first != Some("the-gateway") {
        return Err("the own row is not the first one".to_owned());
    }
    let others = listed.iter().filter(|row| !row.is_self());
    let others: Result<Vec<Value>, _> = others.map(|row| serde_json::from_str(row.as_str())).collect();
    others.map(Value::from).map_err(|error| error.to_string())
}

/// All orders of this many items.
fn orders(count: usize) -> Vec<Vec<usize>> {
    let mut orders = vec![Vec::new()];
    for next in 0..count {
        let longer = |order: Vec<usize>| {
            (0..=order.len()).map(move |at| {
                let mut order = order.clone();
                order.insert(at, next);
                order
            })
        };
        orders = orders.into_iter().flat_map(longer).collect();
    }
    orders
}
