//! The database: reading.

use std::path::Path;
use std::time::Duration;

use presence_core::model::lower::lower;
use presence_core::server::AddressMask;
use presence_core::wire::history::HistoryQuery;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags, Row, ToSql, params};
use serde_json::value::RawValue;

use super::page::{Page, PastSession};
use super::store::{StoreError, version};

/// Most bytes of keys, facts and silences of a page; the first session is always in it.
const MAX_PAGE_BYTES: usize = 256 * 1024;
/// Most silences of a session that are listed: the newest.
const MAX_SILENCES: u32 = 200;
/// Most instances that match one word.
const MAX_NAMED: u32 = 100;
/// Virtual machine steps between two checks of a query's duration, and the most checks: a second or two.
const STEPS: i32 = 1_000_000;
const MAX_LOOKS: u32 = 200;
/// How long another program may hold the database before that is an error.
const BUSY: Duration = Duration::from_secs(1);

/// A history that can be read.
#[derive(Debug)]
pub(crate) struct Reader {
    db: Connection,
}

impl Reader {
    /// Opens it. The file is not changed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags)?;
        db.busy_timeout(BUSY)?;
        version(&db)?;
        db.execute_batch("PRAGMA query_only = ON; PRAGMA temp_store = MEMORY;")?;
        // SQLite's function of this name changes ASCII letters only.
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
        db.create_scalar_function("lower", 1, flags, |arguments| {
            Ok(arguments.get_raw(0).as_str().ok().map(lower))
        })?;
        Ok(Self { db })
    }

    /// One page. With `mask`, a query finds no instance by a key that its reader may not see.
    ///
    /// # Errors
    /// [`StoreError`], also when the query takes longer than a second or two.
    pub(crate) fn page(
        &mut self,
        query: &HistoryQuery,
        mask: Option<&AddressMask>,
    ) -> Result<Page, StoreError> {
        let mut looks = 0;
        self.db.progress_handler(
            STEPS,
            Some(move || {
                looks += 1;
                looks > MAX_LOOKS
            }),
        )?;
        // One transaction, so that all reads are of one moment.
        let transaction = self.db.unchecked_transaction()?;
        let page = self.read(query, mask)?;
        transaction.commit()?;
        Ok(page)
    }

    fn read(&self, query: &HistoryQuery, mask: Option<&AddressMask>) -> Result<Page, StoreError> {
        const COLUMNS: &str = "s.id, i.key, s.from_ms, s.to_ms, s.seen_ms, s.connected, s.why, i.facts";
        let (before_ms, before_id) = query
            .cursor
            .as_deref()
            .and_then(read_cursor)
            .unwrap_or((i64::MAX, 0));
        let mut sql = format!(
            "SELECT {COLUMNS} FROM sessions s JOIN instances i ON i.id = s.instance \
             WHERE (s.from_ms, s.id) < (?1, ?2) AND s.from_ms < ?3 AND (s.to_ms IS NULL OR s.to_ms >= ?4)"
        );
        let (until_ms, since_ms) = (query.until_ms.cast_signed(), query.since_ms.cast_signed().max(0));
        let mut values: Vec<&dyn ToSql> = vec![&before_ms, &before_id, &until_ms, &since_ms];
        let named = query
            .instance
            .as_deref()
            .map(|word| self.named(word, mask))
            .transpose()?;
        if let Some(ids) = &named {
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            sql.push_str(&format!(" AND s.instance IN ({})", ids.join(",")));
        }
        if query.is_latest {
            sql.push_str(
                " AND NOT EXISTS (SELECT 1 FROM sessions t WHERE t.instance = s.instance AND t.from_ms > s.from_ms)",
            );
        }
        let limit = query.limit.saturating_add(1);
        sql.push_str(" ORDER BY s.from_ms DESC, s.id DESC LIMIT ?5");
        values.push(&limit);
        let mut statement = self.db.prepare_cached(&sql)?;
        let mut rows = statement.query(&*values)?;
        let mut page = Page::default();
        let (mut bytes, mut last) = (0, None);
        while let Some(row) = rows.next()? {
            let (id, mut session, facts) = session(row)?;
            session.silences = self.silences(id)?;
            let is_known = page.instances.contains_key(&session.key);
            bytes += session.key.len() + 160 + 32 * session.silences.len();
            bytes += if is_known {
                0
            } else {
                session.key.len() + facts.len()
            };
            let is_full = page.sessions.len() as u64 >= query.limit || bytes > MAX_PAGE_BYTES;
            if is_full && let Some((from_ms, id)) = last {
                page.next = Some(format!("{from_ms}-{id}"));
                break;
            }
            last = Some((session.from, id));
            if !is_known && let Ok(facts) = RawValue::from_string(facts) {
                page.instances.insert(session.key.clone(), facts);
            }
            page.sessions.push(session);
        }
        Ok(page)
    }

    /// The instances that match a word.
    fn named(&self, word: &str, mask: Option<&AddressMask>) -> Result<Vec<i64>, StoreError> {
        let word = word.trim();
        let mut statement = self.db.prepare_cached(
            "SELECT id, key, facts FROM instances WHERE lower(key) = lower(?1) \
             OR lower(facts ->> '$.instanceId') = lower(?1) OR lower(facts ->> '$.deviceId') = lower(?1) \
             OR lower(facts ->> '$.host') = lower(?1) LIMIT ?2",
        )?;
        let mut rows = statement.query(params![word, MAX_NAMED])?;
        let mut ids = Vec::new();
        while let Some(row) = rows.next()? {
            let (key, facts): (String, String) = (row.get(1)?, row.get(2)?);
            if mask.is_none_or(|mask| mask.may_find(word, &key, &facts)) {
                ids.push(row.get(0)?);
            }
        }
        Ok(ids)
    }

    fn silences(&self, id: i64) -> Result<Vec<(u64, u64)>, StoreError> {
        let mut statement = self.db.prepare_cached(
            "SELECT from_ms, to_ms FROM silences WHERE session = ?1 ORDER BY from_ms DESC LIMIT ?2",
        )?;
        let found = statement.query_map(params![id, MAX_SILENCES], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut silences: Vec<(u64, u64)> = found.collect::<Result<_, _>>()?;
        silences.reverse();
        Ok(silences)
    }
}

/// The session of a row of the result, its id, and the facts of its instance.
fn session(row: &Row<'_>) -> Result<(i64, PastSession, String), rusqlite::Error> {
    let session = PastSession {
        key: row.get(1)?,
        from: row.get(2)?,
        to: row.get(3)?,
        seen: row.get(4)?,
        connected: row.get(5)?,
        why: row.get(6)?,
        silences: Vec::new(),
    };
    Ok((row.get(0)?, session, row.get(7)?))
}

/// A cursor is the start and the id of the last session of a page.
fn read_cursor(text: &str) -> Option<(i64, i64)> {
    let (from_ms, id) = text.split_once('-')?;
    Some((from_ms.parse().ok()?, id.parse().ok()?))
}
