//! The canonical form that digests are of, against a naive implementation that reads no JSON: rows are made as trees,
//! spelled in any way that JSON allows, and written canonically from the tree.
#![expect(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use presence_core::PresenceEntry;
use presence_core::digest::{of_entry, of_raw};
use presence_core::model::RawEntry;
use presence_core::model::entry::TIME_MEMBERS;
use proptest::prelude::*;
use proptest::sample::select;
use xxhash_rust::xxh3::xxh3_64;

/// A text in UTF-16, as JavaScript holds it: halves of surrogate pairs included.
type Units = Vec<u16>;

#[derive(Clone, Debug)]
enum Tree {
    /// `null`, a boolean or a number, as it is written.
    Word(&'static str),
    Text(Units),
    List(Vec<Self>),
    Object(BTreeMap<String, (Units, Self)>),
}

fn text() -> impl Strategy<Value = Units> {
    let unit = select(
        "aZ0 \"\\/\u{8}\t\n\u{c}\r\0\u{1f}\u{7f}é€{}[]:,😀\u{ffff}"
            .encode_utf16()
            .chain([0xd800, 0xdbff, 0xdc00])
            .collect::<Vec<_>>(),
    );
    proptest::collection::vec(unit, 0..6)
}

fn name() -> impl Strategy<Value = Units> {
    let known = [
        "ts",
        "host",
        "lastInputSeconds",
        "onlineSince",
        "lastActivityAt",
        "roles",
        "__proto__",
    ];
    let known = select(known.to_vec()).prop_map(|name| name.encode_utf16().collect());
    prop_oneof![known, text()]
}

fn object(inner: impl Strategy<Value = Tree> + Clone) -> impl Strategy<Value = Tree> {
    proptest::collection::vec((name(), inner), 0..8).prop_map(|members| {
        let key = |(name, tree): (Units, Tree)| (String::from_utf16_lossy(&name), (name, tree));
        Tree::Object(members.into_iter().map(key).collect())
    })
}

fn row() -> impl Strategy<Value = Tree> {
    let words = [
        "null",
        "true",
        "false",
        "0",
        "-7",
        "1.5",
        "1e+21",
        "9007199254740993",
        "1e999",
    ];
    let leaf = prop_oneof![
        select(words.to_vec()).prop_map(Tree::Word),
        text().prop_map(Tree::Text)
    ];
    let tree = leaf.prop_recursive(4, 24, 5, |inner| {
        let list = proptest::collection::vec(inner.clone(), 0..5).prop_map(Tree::List);
        prop_oneof![list, object(inner)]
    });
    object(tree)
}

/// Writes a tree as RFC 8785 says.
fn canonical(tree: &Tree, skipped: &[&str]) -> String {
    match tree {
        Tree::Word(word) => (*word).to_owned(),
        Tree::Text(units) => canonical_text(&String::from_utf16_lossy(units)),
        Tree::List(items) => {
            let items: Vec<_> = items.iter().map(|item| canonical(item, &[])).collect();
            format!("[{}]", items.join(","))
        }
        Tree::Object(members) => {
            let mut members: Vec<_> = members
                .iter()
                .filter(|(name, _)| !skipped.contains(&name.as_str()))
                .map(|(name, (_, tree))| (name.encode_utf16().collect::<Units>(), name, tree))
                .collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            let members: Vec<_> = members
                .iter()
                .map(|(_, name, tree)| format!("{}:{}", canonical_text(name), canonical(tree, &[])))
                .collect();
            format!("{{{}}}", members.join(","))
        }
    }
}

fn canonical_text(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\u{8}' => "\\b".to_owned(),
        '\t' => "\\t".to_owned(),
        '\n' => "\\n".to_owned(),
        '\u{c}' => "\\f".to_owned(),
        '\r' => "\\r".to_owned(),
        '\0'..' ' => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

/// Spells a tree in one of the many ways, by the choices.
struct Speller<'a> {
    choices: std::iter::Cycle<std::slice::Iter<'a, u8>>,
    out: String,
}

impl Speller<'_> {
    fn choose(&mut self, from: usize) -> usize {
        usize::from(*self.choices.next().unwrap()) % from
    }

    fn blank(&mut self) {
        let blank = ["", "", " ", "\n\t", "\r"][self.choose(5)];
        self.out.push_str(blank);
    }

    fn tree(&mut self, tree: &Tree) {
        match tree {
            Tree::Word(word) => self.out.push_str(word),
            Tree::Text(units) => self.text(units),
            Tree::List(items) => {
                self.out.push('[');
                for (index, item) in items.iter().enumerate() {
                    self.out.push_str(if index > 0 { "," } else { "" });
                    self.blank();
                    self.tree(item);
                    self.blank();
                }
                self.out.push(']');
            }
            Tree::Object(members) => {
                let mut members: Vec<_> = members.values().collect();
                let turn = self.choose(members.len().max(1));
                members.rotate_left(turn);
                self.out.push('{');
                for (index, (name, tree)) in members.iter().enumerate() {
                    self.out.push_str(if index > 0 { "," } else { "" });
                    self.blank();
                    self.text(name);
                    self.blank();
                    self.out.push(':');
                    self.blank();
                    self.tree(tree);
                    self.blank();
                }
                self.out.push('}');
            }
        }
    }

    fn text(&mut self, units: &Units) {
        self.out.push('"');
        for c in char::decode_utf16(units.iter().copied()) {
            let c = match c {
                Ok(c) => c,
                Err(half) => {
                    write!(self.out, "\\u{:04X}", half.unpaired_surrogate()).unwrap();
                    continue;
                }
            };
            let must_escape = c < ' ' || c == '"' || c == '\\';
            if must_escape || self.choose(4) == 0 {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(self.out, "\\u{unit:04x}").unwrap();
                }
            } else {
                self.out.push(c);
            }
        }
        self.out.push('"');
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn digests_are_of_the_canonical_form(tree in row(), choices in proptest::collection::vec(any::<u8>(), 1..40)) {
        let mut speller = Speller { choices: choices.iter().cycle(), out: String::new() };
        speller.tree(&tree);
        let text = speller.out;
        let entry = RawEntry::read(&text).unwrap();
        let naive = format!("key\n{}", canonical(&tree, &TIME_MEMBERS));
        prop_assert_eq!(of_raw("key", &entry), xxh3_64(naive.as_bytes()), "{} for {}", entry, naive);
    }

    /// The gateway's side: members in the order of the alphabet, absent ones and empty lists left out.
    #[test]
    fn entries_count_as_their_json_does(
        texts in proptest::collection::vec(proptest::option::of(text()), 6),
        roles in proptest::collection::vec(text(), 0..3),
        ts in any::<u64>(),
    ) {
        let said = |at: usize| texts[at].as_ref().map(|units| String::from_utf16_lossy(units).into());
        let roles: Vec<Box<str>> = roles.iter().map(|role| String::from_utf16_lossy(role).into()).collect();
        let entry = PresenceEntry {
            host: said(0),
            client_id: said(1),
            user_id: said(2),
            version: said(3),
            text: said(4),
            instance_id: said(5),
            roles: roles.clone(),
            last_input_seconds: Some(ts),
            ts,
            ..PresenceEntry::default()
        };
        let mut members: BTreeMap<String, (Units, Tree)> = BTreeMap::new();
        let tree = |text: &str| Tree::Text(text.encode_utf16().collect());
        let mut put = |name: &str, tree| {
            members.insert(name.to_owned(), (name.encode_utf16().collect(), tree));
        };
        for (at, name) in ["host", "clientId", "user", "version", "text", "instanceId"].iter().enumerate() {
            let said: Option<Box<str>> = said(at);
            match said {
                Some(text) if *name == "user" => {
                    let id = ("id".to_owned(), ("id".encode_utf16().collect(), tree(&text)));
                    put(name, Tree::Object(BTreeMap::from([id])));
                }
                Some(text) => put(name, tree(&text)),
                None => {}
            }
        }
        if !roles.is_empty() {
            put("roles", Tree::List(roles.iter().map(|role| tree(role)).collect()));
        }
        let naive = format!("key\n{}", canonical(&Tree::Object(members), &[]));
        prop_assert_eq!(of_entry("key", &entry), xxh3_64(naive.as_bytes()), "{}", naive);
    }
}
