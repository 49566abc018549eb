//! Reads the folder of vectors, and refuses what is not as it should be.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::Failure;
use super::format::{Cast, Config, Devices, File, Script, Table};
use crate::fail;

/// All vectors, with what they refer to.
#[derive(Clone, Debug)]
pub struct Suite {
    /// The initial state of every script.
    pub cast: Cast,
    /// The named devices.
    pub devices: Devices,
    /// Vectors of pure functions, by file name and place.
    pub tables: Vec<Table>,
    /// Vectors of steps, by file name and place.
    pub scripts: Vec<Script>,
}

impl Suite {
    /// Reads the project's own vectors.
    ///
    /// # Errors
    /// The errors of [`read`](Self::read).
    pub fn of_the_project() -> Result<Self, Failure> {
        Self::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors"))
    }

    /// Reads a folder.
    ///
    /// # Errors
    /// A file that does not match `schema.json` or the types here, a name used twice, a missing cast,
    /// or no vectors at all.
    pub fn read(folder: &Path) -> Result<Self, Failure> {
        let schema: Value = serde_json::from_str(&fs::read_to_string(folder.join("schema.json"))?)?;
        let (mut cast, mut devices) = (None, None);
        let (mut tables, mut scripts) = (Vec::new(), Vec::new());
        for path in json_files(folder)? {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            match read_file(&path, &schema).map_err(|failure| failure.at(&name))? {
                File::Cast(file) => cast = Some(*file),
                File::Devices(file) => devices = Some(file),
                File::Table(file) => tables.extend(file.vectors),
                File::Script(file) => scripts.extend(file.vectors),
            }
        }
        let (Some(cast), Some(devices)) = (cast, devices) else {
            fail!("cast.json or devices.json is missing");
        };
        let suite = Self {
            cast,
            devices,
            tables,
            scripts,
        };
        suite.check()?;
        Ok(suite)
    }

    /// The configuration of one script.
    ///
    /// # Errors
    /// A member that no configuration has.
    pub fn config(&self, script: &Script) -> Result<Config, Failure> {
        let mut members = self.cast.config.clone();
        for (name, value) in &script.config {
            members.insert(name.clone(), value.clone());
        }
        Ok(serde_json::from_value(Value::Object(members))?)
    }

    fn check(&self) -> Result<(), Failure> {
        if self.tables.is_empty() || self.scripts.is_empty() {
            fail!("no vectors: the folder must hold tables and scripts");
        }
        let names = self.tables.iter().map(|table| &table.name);
        let names = names.chain(self.scripts.iter().map(|script| &script.name));
        let mut seen = BTreeSet::new();
        for name in names {
            if !seen.insert(name) {
                fail!("two vectors are called {name}");
            }
        }
        let Some(Value::Object(_)) = self.cast.config.get("self") else {
            fail!("the cast has no self row");
        };
        Ok(())
    }
}

/// The vector files, by name.
fn json_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_json = path.extension().is_some_and(|extension| extension == "json");
        if is_json && path.file_name().is_some_and(|name| name != "schema.json") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn read_file(path: &Path, schema: &Value) -> Result<File, Failure> {
    let value: Value = serde_json::from_str(&fs::read_to_string(path)?)?;
    check_file(&value, schema)?;
    // Tagged enums of serde do not refuse unknown members of the tag's level: the schema did.
    Ok(serde_json::from_value(value)?)
}

/// Checks a file with the schema of its kind: an error of the schema's `oneOf` states only that no kind matches.
fn check_file(file: &Value, schema: &Value) -> Result<(), Failure> {
    let kind = file.get("kind").and_then(Value::as_str).unwrap_or_default();
    let definition = format!("/$defs/{kind}File");
    if schema.pointer(&definition).is_none() {
        fail!("schema.json has no kind `{kind}`");
    }
    let mut schema = schema.clone();
    if let Some(members) = schema.as_object_mut() {
        members.remove("oneOf");
        members.insert("$ref".to_owned(), ["#", &definition].concat().into());
    }
    let schema = jsonschema::validator_for(&schema).map_err(|error| Failure::new(error.to_string()))?;
    if let Some(error) = schema.iter_errors(file).next() {
        let place = error.instance_path().as_str();
        let vector = place
            .strip_prefix("/vectors/")
            .and_then(|place| place.split('/').next());
        let vector = vector.and_then(|at| file["vectors"].get(at.parse::<usize>().ok()?));
        let name = vector.map_or(kind, |vector| {
            vector["name"].as_str().unwrap_or("a vector without a name")
        });
        fail!("{name}: does not match schema.json: {place}: {}", error.masked());
    }
    Ok(())
}

/// Lays `over` over `base`: objects member by member, `null` removes, anything else replaces.
pub fn lay_over(base: &mut Map<String, Value>, over: &Map<String, Value>) {
    for (name, value) in over {
        match (base.get_mut(name), value) {
            (_, Value::Null) => {
                base.remove(name);
            }
            (Some(Value::Object(base)), Value::Object(over)) => lay_over(base, over),
            (_, Value::Object(over)) => {
                let mut inner = Map::new();
                lay_over(&mut inner, over);
                base.insert(name.clone(), Value::Object(inner));
            }
            _ => {
                base.insert(name.clone(), value.clone());
            }
        }
    }
}
