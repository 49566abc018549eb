//! The database: writing.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, params};

use super::op::{Op, Session};

/// Marks the file as ours: `PRAGMA application_id`, the letters `OCPH`.
pub(super) const APPLICATION_ID: i32 = 0x4f43_5048;
/// The version of the schema: `PRAGMA user_version`.
pub(super) const SCHEMA_VERSION: i32 = 1;
const SCHEMA: &str = include_str!("schema.sql");
/// How long another program may hold the database before that is an error.
const BUSY: Duration = Duration::from_secs(1);
/// Sessions that are deleted at a time.
const DELETED_AT_A_TIME: u64 = 500;
/// Sessions that are deleted at a time if there are too many bytes.
const DELETED_FOR_ROOM: u64 = 50;
/// Free pages that are released at a time.
const FREED_PAGES: u32 = 1_024;

/// Why the history is not written, or cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The file is another database.
    #[error("it is a database, but not a history: choose another file")]
    Foreign,
    /// A later version created it.
    #[error(
        "it is of version {0}, and this gateway knows version {SCHEMA_VERSION}: update the gateway, or choose another file"
    )]
    Newer(i32),
    /// It has no tables.
    #[error("it is no history yet: `serve --history FILE` creates one")]
    Empty,
    /// It can be neither opened nor created.
    #[error("it cannot be opened: {0}")]
    Io(#[from] std::io::Error),
    /// An error of SQLite.
    #[error("{}", words(.0))]
    Sqlite(#[from] rusqlite::Error),
}

impl StoreError {
    /// Whether a retry may succeed soon.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Foreign | Self::Newer(_) | Self::Empty => false,
            Self::Io(_) => true,
            Self::Sqlite(error) => !matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
            ),
        }
    }
}

fn words(error: &rusqlite::Error) -> String {
    let hint = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another program holds a lock on it; the gateway tries again"
        }
        Some(ErrorCode::DiskFull) => "its disk is full; the gateway tries again",
        Some(ErrorCode::DatabaseCorrupt) => {
            "it is damaged: move it away, or repair it with `sqlite3 FILE .recover`"
        }
        Some(ErrorCode::NotADatabase) => "it is not an SQLite database: choose another file",
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => "it, or its folder, cannot be written",
        Some(ErrorCode::CannotOpen) => "it cannot be opened",
        _ => return error.to_string(),
    };
    format!("{hint} ({error})")
}

/// A history that can be written.
#[derive(Debug)]
pub(super) struct Store {
    db: Connection,
    /// The identity of the file.
    identity: Option<Identity>,
}

/// The device and the number of a file; `None` on systems that have none.
type Identity = (u64, u64);

fn identity(path: &Path) -> Option<Identity> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;

        let file = std::fs::metadata(path).ok()?;
        Some((file.dev(), file.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

impl Store {
    /// Opens the history, and creates the tables in an empty file. Closes open sessions of an earlier writer, with the
    /// reason `why`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn open(path: &Path, why: &str) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        // SQLite would create a file that other users can read.
        let mut file = std::fs::OpenOptions::new();
        file.write(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
        file.open(path)?;
        let mut db = Connection::open_with_flags(path, flags)?;
        db.busy_timeout(BUSY)?;
        match version(&db) {
            Ok(()) => {}
            Err(StoreError::Empty) => create(&mut db)?,
            Err(error) => return Err(error),
        }
        db.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
             PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 4194304;",
        )?;
        let found: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if found != "ok" {
            let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
            return Err(rusqlite::Error::SqliteFailure(code, Some(found)).into());
        }
        let closed = "UPDATE sessions SET to_ms = max(seen_ms, from_ms), why = ?1 WHERE to_ms IS NULL";
        db.execute(closed, [why])?;
        let identity = identity(path);
        Ok(Self { db, identity })
    }

    /// Whether the path still refers to the open file.
    pub(super) fn is_in_place(&self, path: &Path) -> bool {
        self.identity == identity(path)
    }

    /// Closes a file that was moved, with all writes in it: its write-ahead log stays under the old name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn leave(self) -> Result<(), StoreError> {
        self.db
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    /// Writes all of them in one transaction.
    ///
    /// # Errors
    /// [`StoreError`]: nothing is written.
    pub(super) fn write(&mut self, ops: &[Op]) -> Result<(), StoreError> {
        if ops.is_empty() {
            return Ok(());
        }
        let transaction = self.db.transaction()?;
        for op in ops {
            write(&transaction, op)?;
        }
        Ok(transaction.commit()?)
    }

    /// Deletes sessions that ended before this moment, and the oldest beyond the bytes. Returns whether more may be
    /// due.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn prune(&mut self, before_ms: u64, max_bytes: u64) -> Result<bool, StoreError> {
        let transaction = self.db.transaction()?;
        let mut deleted = transaction
            .prepare_cached(
                "DELETE FROM sessions WHERE id IN \
                 (SELECT id FROM sessions WHERE to_ms < ?1 ORDER BY to_ms LIMIT ?2)",
            )?
            .execute(params![before_ms.cast_signed(), DELETED_AT_A_TIME])?;
        transaction
            .prepare_cached("DELETE FROM silences WHERE to_ms < ?1")?
            .execute([before_ms.cast_signed()])?;
        if deleted == 0 && used_bytes(&transaction)? > max_bytes {
            deleted = transaction
                .prepare_cached(
                    "DELETE FROM sessions WHERE id IN \
                     (SELECT id FROM sessions WHERE to_ms IS NOT NULL ORDER BY to_ms LIMIT ?1)",
                )?
                .execute([DELETED_FOR_ROOM])?;
        }
        if deleted > 0 {
            transaction.execute(
                "DELETE FROM instances WHERE NOT EXISTS (SELECT 1 FROM sessions WHERE instance = instances.id)",
                [],
            )?;
        }
        transaction.commit()?;
        let mut statement = self
            .db
            .prepare(&format!("PRAGMA incremental_vacuum({FREED_PAGES})"))?;
        let mut freed = statement.query([])?;
        while freed.next()?.is_some() {}
        Ok(deleted > 0)
    }
}

/// Checks that this is a history of a known version.
///
/// # Errors
/// [`StoreError`]: what it is.
pub(super) fn version(db: &Connection) -> Result<(), StoreError> {
    let read = |pragma| db.query_row(pragma, [], |row| row.get::<_, i32>(0));
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        return Err(StoreError::Empty);
    }
    if read("PRAGMA application_id")? != APPLICATION_ID {
        return Err(StoreError::Foreign);
    }
    match read("PRAGMA user_version")? {
        SCHEMA_VERSION => Ok(()),
        version => Err(StoreError::Newer(version)),
    }
}

fn create(db: &mut Connection) -> Result<(), StoreError> {
    // It has no effect once there are tables.
    db.execute_batch("PRAGMA auto_vacuum = INCREMENTAL")?;
    let transaction = db.transaction()?;
    transaction.execute_batch(SCHEMA)?;
    transaction.execute_batch(&format!(
        "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION}"
    ))?;
    Ok(transaction.commit()?)
}

/// The size of the database without its free pages.
fn used_bytes(db: &Connection) -> Result<u64, StoreError> {
    let read = |pragma| db.query_row(pragma, [], |row| row.get::<_, u64>(0));
    let pages = read("PRAGMA page_count")?.saturating_sub(read("PRAGMA freelist_count")?);
    Ok(pages.saturating_mul(read("PRAGMA page_size")?))
}

fn write(transaction: &Transaction<'_>, op: &Op) -> Result<(), rusqlite::Error> {
    const OF: &str = "instance = (SELECT id FROM instances WHERE key = ?1) AND from_ms = ?2";
    let run = |sql: &str, values: &[&dyn rusqlite::ToSql]| transaction.prepare_cached(sql)?.execute(values);
    let ms = u64::cast_signed;
    match op {
        Op::Facts { key, facts } => run(
            "INSERT INTO instances (key, facts) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET facts = ?2",
            &[key, facts],
        )?,
        Op::Open {
            session: Session { key, from_ms },
            seen_ms,
            is_connected,
        } => {
            run(
                "INSERT OR IGNORE INTO instances (key, facts) VALUES (?1, '{}')",
                &[key],
            )?;
            run(
                "INSERT INTO sessions (instance, from_ms, seen_ms, connected) \
                 VALUES ((SELECT id FROM instances WHERE key = ?1), ?2, ?3, ?4) \
                 ON CONFLICT (instance, from_ms) DO UPDATE SET \
                 to_ms = NULL, why = NULL, seen_ms = max(seen_ms, ?3), connected = ?4",
                &[key, &ms(*from_ms), &ms(*seen_ms), is_connected],
            )?
        }
        Op::Alive { at_ms } => run(
            "UPDATE sessions SET seen_ms = max(seen_ms, ?1) WHERE to_ms IS NULL AND connected",
            &[&ms(*at_ms)],
        )?,
        Op::Silence {
            session: Session {
                key,
                from_ms: began_ms,
            },
            from_ms,
            to_ms,
        } => run(
            &format!(
                "INSERT OR REPLACE INTO silences (session, from_ms, to_ms) \
                 SELECT id, ?3, ?4 FROM sessions WHERE {OF}"
            ),
            &[key, &ms(*began_ms), &ms(*from_ms), &ms(*to_ms)],
        )?,
        Op::Close {
            session: Session { key, from_ms },
            to_ms,
            seen_ms,
            why,
        } => run(
            &format!("UPDATE sessions SET to_ms = ?3, seen_ms = ?4, why = ?5 WHERE {OF}"),
            &[key, &ms(*from_ms), &ms(*to_ms), &ms(*seen_ms), why],
        )?,
        Op::Rename {
            session: Session { key, from_ms },
            to,
        } => {
            run(
                "INSERT OR IGNORE INTO instances (key, facts) VALUES (?1, '{}')",
                &[to],
            )?;
            run(
                &format!(
                    "UPDATE OR REPLACE sessions SET instance = (SELECT id FROM instances WHERE key = ?3) WHERE {OF}"
                ),
                &[key, &ms(*from_ms), to],
            )?
        }
    };
    Ok(())
}
