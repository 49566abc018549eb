use super::*;

/// The grammar, read in the simplest way.
fn parse_simply(text: &str) -> Option<TextBeacon<'_>> {
    let after = |rest: &'_ str| -> Option<(usize, usize)> {
        let rest = &text[text.len() - trim_start(rest).len()..];
        let host = &rest[..rest.find([' ', '('])?];
        let inside = trim_start(&rest[host.len()..]).strip_prefix('(')?;
        let close = inside.find(')')?;
        (!host.is_empty() && close > 0).then(|| (text.len() - rest.len(), text.len() - inside.len()))
    };
    let lower = text.to_ascii_lowercase();
    lower.match_indices("node:").find_map(|(at, word)| {
        let (host, ip) = after(&text[at + word.len()..])?;
        let close = ip + text[ip..].find(')')?;
        let tail = &text[close + 1..];
        let parts: Vec<&str> = trim_start(tail)
            .strip_prefix(SEPARATOR)?
            .splitn(4, SEPARATOR)
            .collect();
        let [version, input, mode, reason] = *parts else {
            return None;
        };
        let reason = strip_word(reason, "reason")?;
        let parsed = TextBeacon {
            host: trim(text[host..].split([' ', '(']).next()?),
            ip: trim(&text[ip..close]),
            version: strip_word(version, "app")?,
            last_input_seconds: parse_seconds_ago(trim(strip_word(input, "last input")?))?,
            mode: strip_word(mode, "mode")?,
            reason: trim(reason),
        };
        let is_empty = [parsed.version, parsed.mode, reason].contains(&"");
        let (version, mode) = (trim(parsed.version), trim(parsed.mode));
        (!is_empty && !trim_start(reason).contains(LINE_BREAKS)).then_some(TextBeacon {
            version,
            mode,
            ..parsed
        })
    })
}

#[test]
fn parts_that_are_shared_are_read_as_if_they_were_not() {
    const PARTS: [&str; 22] = [
        "node:",
        "Node: ",
        "a",
        "a",
        "\t",
        " ",
        " (",
        "(",
        ")",
        ")",
        "b) ",
        "\u{b7}",
        "\n",
        "10.0.0.5",
        ") \u{b7} app 1 \u{b7} last input 1s ago \u{b7} mode m \u{b7} reason r",
        " \u{b7} app ",
        " \u{b7} last input ",
        "2s ago",
        " \u{b7} mode ",
        " \u{b7} reason ",
        "Node: h (1) \u{b7} app 1",
        "\u{b7} last input 3s ago \u{b7} mode m \u{b7} reason",
    ];
    let mut rng = fastrand::Rng::with_seed(7);
    let mut valid = 0;
    for _ in 0..60_000 {
        let parts: Vec<&str> = (0..rng.usize(1..14))
            .map(|_| PARTS[rng.usize(..PARTS.len())])
            .collect();
        let text = parts.concat();
        let parsed = parse_text(&text);
        assert_eq!(parsed, parse_simply(&text), "{text:?}");
        valid += u32::from(parsed.is_some());
    }
    assert!(valid > 1_000, "{valid}");
}

/// With work that grows with the square of the length, this takes hours.
#[test]
fn long_texts_take_work_in_proportion_to_their_length() {
    const TIMES: usize = 1 << 18;
    let tail = " \u{b7} app 1 \u{b7} last input 1s ago \u{b7} mode m \u{b7} reason r";
    for (part, end) in [
        ("node:", ""),
        ("node:", " ("),
        ("node:", "   x"),
        ("node:a (", ""),
        ("node:a (", ") x"),
        ("node:a (b)", tail),
        ("node:a (b) \u{b7} app ", ""),
        (
            "node:a (b) \u{b7} app 1 \u{b7} last input 1s ago \u{b7} mode m \u{b7} reason r ",
            "\nx",
        ),
        (
            "node:a () \u{b7} app 1 \u{b7} last input 1s ago \u{b7} mode m \u{b7} reason r ",
            "",
        ),
    ] {
        let text = [part.repeat(TIMES), " ".repeat(TIMES), end.into()].concat();
        let parsed = parse_text(&text).map(|parsed| parsed.ip);
        assert_eq!(parsed, (end == tail).then_some("b"), "{part}");
    }
}
