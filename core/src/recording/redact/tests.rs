use alloc::string::ToString;

use super::*;
use crate::model::lower::lower;

#[test]
fn letters_outside_ascii_are_replaced_by_pairs() {
    let redactor = Redactor::new([3; 32]);
    for (one, two) in [
        ("дача", "ДАЧА"),
        ("ｈｏｓｔ", "ＨＯＳＴ"),
        ("ας", "ΑΣ"),
        ("\u{212a}ey", "key"),
    ] {
        let (red, other) = (redactor.name(one), redactor.name(two));
        assert_eq!(lower(&red), lower(&other), "{one}");
        assert!(
            one.chars()
                .zip(red.chars())
                .any(|(before, after)| before != after)
        );
    }
    for text in ["дача", "田中", "𐐨𐐩", "Dача 5"] {
        let red = redactor.name(text);
        assert_ne!(&*red, text);
        assert_eq!(red.len(), text.len());
        assert_eq!(red.encode_utf16().count(), text.encode_utf16().count());
    }
    assert_ne!(redactor.name("éёéёéё"), redactor.name("èёèёèё"));
}

/// A text of letters, digits, marks and blanks.
fn any_text(random: &mut fastrand::Rng, most: usize) -> String {
    let chars = ['a', 'B', 'c', 'Z', '0', '1', '7', '-', '.', ' ', '_', ':'];
    let count = random.usize(1..=most);
    core::iter::repeat_with(|| chars[random.usize(..chars.len())])
        .take(count)
        .collect()
}

#[test]
fn different_names_stay_different_also_where_they_are_short() {
    let redactor = Redactor::new([3; 32]);
    let mut random = fastrand::Rng::with_seed(14);
    let mut names: Vec<String> = (0..1_000_u32).map(|n| n.to_string()).collect();
    names.extend((b'a'..=b'z').map(|letter| char::from(letter).to_string()));
    names.extend((0..2_000).map(|_| any_text(&mut random, 6)));
    names.sort();
    names.dedup();
    let mut pseudonyms: Vec<_> = names.iter().map(|name| redactor.name(name)).collect();
    for (name, red) in names.iter().zip(&pseudonyms) {
        assert_eq!(*red, redactor.name(name));
        assert_eq!(lower(red), lower(&redactor.name(&name.to_uppercase())), "{name}");
        assert_eq!(red.len(), name.len());
    }
    pseudonyms.sort();
    pseudonyms.dedup();
    assert_eq!(pseudonyms.len(), names.len());
}

#[test]
fn words_of_programs_stay_and_others_are_names() {
    let redactor = Redactor::new([3; 32]);
    for kept in [
        "ui",
        " CLI ",
        "seq gap",
        "node-connected",
        "macos 26.1.0",
        "2026.9.6 (12345)",
        "v2.0.0-beta.1",
        "Mac16,6",
        "Raspberry Pi",
        "operator.admin",
        "(none)",
    ] {
        assert_eq!(&*redactor.word(kept), kept);
    }
    for hidden in [
        "jane",
        "jane's ui",
        "10.0.0.5",
        "app 203.0.113.77:80",
        "2001:0:0:1::5",
        "+49 1701234567",
        "\u{ff55}\u{ff49}",
        "Europe/Paris",
    ] {
        assert_ne!(&*redactor.word(hidden), hidden);
        assert_eq!(redactor.word(hidden), redactor.name(hidden));
    }
}

#[test]
fn a_name_never_becomes_a_word_that_rules_know() {
    for key in 0..=255 {
        let redactor = Redactor::new([key; 32]);
        for name in ["ab", "qr", "abc", "jane", "anna", "josephine"] {
            let red = redactor.word(name);
            assert!(!is_known(&red) && !is_kept(&red), "{red}");
        }
        for address in ["10.0.0.5", "9.1.1.1", "fe80::1", "2001:db8::7"] {
            assert_ne!(&*redactor.ip(address), address);
        }
    }
}

#[test]
fn a_machine_keeps_its_name_through_dots_marks_and_local() {
    let redactor = Redactor::new([3; 32]);
    let plain = |name: &str| {
        let name = redactor.name(name).to_lowercase();
        let name = name.strip_suffix(".local").unwrap_or(&name).to_string();
        name.replace(['-', ' ', '\'', '\u{2019}'], "")
    };
    let one = plain("Jo\u{2019}s Mac");
    for other in ["Jos-Mac.local", "JOS-MAC", "jo's mac", "josmac.LOCAL"] {
        assert_eq!(plain(other), one);
    }
    assert_ne!(plain("Jos-Mag.local"), one);
}

#[test]
fn a_text_has_the_pseudonyms_of_its_host_and_address() {
    let redactor = Redactor::new([3; 32]);
    let text = redactor.beacon_text("Gateway: studio.local (192.0.2.44) \u{b7} app 1.2");
    let expected = [
        "Gateway: ",
        &*redactor.name("studio.local"),
        " (",
        &*redactor.ip("192.0.2.44"),
        ") \u{b7} app ",
        &*redactor.name("1.2"),
    ];
    assert_eq!(&*text, expected.concat());
}

/// An address whose group becomes `ffff` would be a mapped IPv4 address.
#[test]
fn addresses_keep_their_family() {
    for key in 0..=255 {
        let redactor = Redactor::new([key; 32]);
        for digit in ["a", "b", "c", "d", "e", "f", "A"] {
            let group = digit.repeat(4);
            for address in [
                alloc::format!("::{group}:a00:1"),
                alloc::format!("0:0:0:0:0:{group}:a00:1"),
                alloc::format!("[::{group}:a00:1%en0]"),
                alloc::format!("64:{group}::198.51.255.99"),
            ] {
                let is_v6 = normalise(&address).unwrap().contains(':');
                let red = redactor.ip(&address);
                let normal = normalise(&red);
                assert_eq!(
                    normal.as_ref().map(|red| red.contains(':')),
                    Some(is_v6),
                    "{address} {red}"
                );
                assert_ne!(normal, normalise(&address));
            }
        }
    }
}

#[test]
fn different_addresses_stay_different() {
    for key in 0..=255 {
        let redactor = Redactor::new([key; 32]);
        let mut pseudonyms: Vec<_> = ('a'..='f')
            .chain('2'..='9')
            .map(|digit| {
                let address = alloc::format!("::{}:a00:1", digit.to_string().repeat(4));
                normalise(&redactor.ip(&address)).unwrap()
            })
            .collect();
        pseudonyms.sort();
        pseudonyms.dedup();
        assert_eq!(pseudonyms.len(), 14);
    }
}

#[test]
fn the_zone_of_every_address_is_hidden() {
    let redactor = Redactor::new([3; 32]);
    for address in [
        "10.0.0.5%jane-phone",
        "::ffff:10.0.0.5%jane-phone",
        "::ffff:a00:5%jane.phone",
        "fe80::5%jane-phone",
    ] {
        let red = redactor.ip(address);
        assert!(!red.contains("jane") && !red.contains("phone"), "{red}");
        assert!(!red.contains("a00:5"), "{red}");
        assert!(normalise(&red).is_some(), "{red}");
    }
}
