//! IP addresses inside texts (SPEC 4, "Hidden addresses").

use alloc::borrow::Cow;
use alloc::string::String;
use core::ops::Range;

use crate::model::beacon::parse_text;

/// The replacement of an address. An address is never shorter. The ip in a beacon's text can be: then it is replaced
/// with one asterisk per byte, so that a text never becomes longer.
const MARK: &str = "***";
/// Most digits of a port.
const MAX_PORT_DIGITS: usize = 5;

/// Whether there is an address in the text.
#[must_use]
pub fn contains_address(text: &str) -> bool {
    Addresses::of(text).next().is_some()
}

/// Replaces each address, and the ip in the parentheses of a beacon's text, with `***`.
///
/// ```
/// use presence_core::model::addresses_in_text::hide_addresses;
/// assert_eq!(hide_addresses("nas at 10.0.0.5:8080, [fe80::1%en0]"), "nas at ***, ***");
/// assert_eq!(hide_addresses("linux 6.18.44, 12:30:05"), "linux 6.18.44, 12:30:05");
/// ```
#[must_use]
pub fn hide_addresses(text: &str) -> Cow<'_, str> {
    let stated = parse_text(text).and_then(|parsed| {
        let start = (parsed.ip.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
        (!parsed.ip.is_empty()).then(|| start..start + parsed.ip.len())
    });
    let mut addresses = Addresses::of(text);
    let first = addresses.next();
    if stated.is_none() && first.is_none() {
        return Cow::Borrowed(text);
    }
    let mut hidden = String::with_capacity(text.len());
    let mut done = 0;
    let (mut stated, mut next) = (stated, first);
    loop {
        let found = match (&stated, &next) {
            (Some(one), Some(other)) if one.start <= other.start => stated.take(),
            (_, Some(_)) => next.take(),
            (Some(_), None) => stated.take(),
            (None, None) => break,
        };
        if let Some(Range { start, end }) = found
            && end > done
        {
            // The two kinds may overlap.
            if start >= done {
                hidden.push_str(text.get(done..start).unwrap_or_default());
                hidden.push_str(MARK.get(..end - start).unwrap_or(MARK));
            }
            done = end;
        }
        if next.is_none() {
            addresses.from = done;
            next = addresses.next();
        }
    }
    hidden.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(hidden)
}

/// Returns where to cut a text to at most `end` bytes, so that no part of an address is left.
pub(crate) fn cut_before_address(text: &str, end: usize) -> usize {
    let mut found = Addresses::of(text).take_while(|found| found.start < end);
    found
        .find(|found| found.end > end)
        .map_or(end, |found| found.start)
}

/// Whether the text may end in the start of an address that was cut off.
#[must_use]
pub fn may_end_in_address(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_hexdigit() || matches!(c, '.' | ':' | '-');
    let end = text.trim_end_matches(is_part).len();
    text.get(end..)
        .is_some_and(|end| end.contains(['.', ':', '-']) && end.contains(|c: char| c.is_ascii_digit()))
}

/// The addresses of a text, in order. The work is linear.
struct Addresses<'a> {
    text: &'a [u8],
    /// Where to continue the search.
    from: usize,
    /// Where an IPv6 address can begin next: after a run of its characters that is not an address.
    v6_from: usize,
}

impl<'a> Addresses<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            text: text.as_bytes(),
            from: 0,
            v6_from: 0,
        }
    }

    /// The address that begins here.
    fn at(&mut self, at: usize) -> Option<Range<usize>> {
        let (text, from) = (self.text, self.from);
        let before = at.checked_sub(1).filter(|before| *before >= from);
        let before = before.and_then(|before| text.get(before));
        let is_start =
            |is_part: fn(&u8) -> bool| text.get(at).is_some_and(is_part) && !before.is_some_and(is_part);
        if at >= self.v6_from && is_start(is_part_of_v6) {
            let run = text.get(at..)?;
            let end = at
                + run
                    .iter()
                    .position(|byte| !is_part_of_v6(byte))
                    .unwrap_or(run.len());
            if let Some(found) = v6(text, at..end) {
                return Some(found);
            }
            self.v6_from = end;
        }
        let is_v4 = is_start(u8::is_ascii_digit) || is_after_escape(text, at);
        let end = is_v4.then(|| v4(text, at)).flatten()?;
        Some(at..with_port(text, end))
    }
}

impl Iterator for Addresses<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let found = (self.from..self.text.len()).find_map(|at| self.at(at));
        self.from = found.as_ref().map_or(self.text.len(), |found| found.end);
        found
    }
}

fn is_part_of_v6(byte: &u8) -> bool {
    byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')
}

/// Whether an escaped character ends before: `%22` in a URL, `\u0022` in JSON. Its digits are no part of a number.
fn is_after_escape(text: &[u8], at: usize) -> bool {
    let escapes = |mark: &[u8], digits: usize| {
        let start = at.checked_sub(mark.len() + digits);
        let escape = start.and_then(|start| text.get(start..at)?.strip_prefix(mark));
        escape.is_some_and(|escape| escape.iter().all(u8::is_ascii_hexdigit))
    };
    escapes(b"%", 2) || escapes(br"\u", 4)
}

/// Returns the end of an IPv4 address that begins here: four or more numbers up to 255 with dots between them, or with
/// hyphens as in names of machines.
fn v4(text: &[u8], start: usize) -> Option<usize> {
    let mut end = octet(text, start)?;
    let separator = *text.get(end).filter(|byte| matches!(byte, b'.' | b'-'))?;
    let mut numbers = 1;
    while text.get(end) == Some(&separator)
        && let Some(next) = octet(text, end + 1)
    {
        end = next;
        numbers += 1;
    }
    (numbers >= 4).then_some(end)
}

/// Returns the end of a number of up to three digits that is at most 255.
fn octet(text: &[u8], start: usize) -> Option<usize> {
    let digits = digits(text, start, 4);
    let value = digits
        .iter()
        .fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
    ((1..=3).contains(&digits.len()) && value <= 255).then(|| start + digits.len())
}

/// The digits that begin here, at most this many.
fn digits(text: &[u8], start: usize, most: usize) -> &[u8] {
    let rest = text.get(start..).unwrap_or_default();
    let len = rest
        .iter()
        .take(most)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    rest.get(..len).unwrap_or_default()
}

/// Returns the range of the IPv6 address in this run of hex digits, colons and dots, with its zone, brackets and port:
/// a run with `::` and a digit, with seven colons, or with six of them before an IPv4 address.
fn v6(text: &[u8], run: Range<usize>) -> Option<Range<usize>> {
    let Range { start, mut end } = run;
    let run = text.get(run)?;
    let is_short = run.windows(2).any(|pair| pair == b"::") && run.iter().any(u8::is_ascii_hexdigit);
    let colons = run.iter().filter(|byte| **byte == b':').count();
    let ends_in_v4 = run
        .rsplit(|byte| *byte == b':')
        .next()
        .is_some_and(|last| last.contains(&b'.'));
    if !is_short && colons + usize::from(ends_in_v4) < 7 {
        return None;
    }
    if text.get(end) == Some(&b'%') {
        let zone = text.get(end + 1..)?;
        let is_zone = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
        end += 1 + zone.iter().position(|byte| !is_zone(byte)).unwrap_or(zone.len());
    }
    let bracket = start.checked_sub(1).filter(|at| text.get(*at) == Some(&b'['));
    match bracket {
        Some(bracket) if text.get(end) == Some(&b']') => Some(bracket..with_port(text, end + 1)),
        _ => Some(start..end),
    }
}

/// Returns its end, including a port that follows.
fn with_port(text: &[u8], end: usize) -> usize {
    let port = match text.get(end) {
        Some(b':') => digits(text, end + 1, MAX_PORT_DIGITS + 1).len(),
        _ => 0,
    };
    if (1..=MAX_PORT_DIGITS).contains(&port) {
        end + 1 + port
    } else {
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_every_form() {
        for (text, hidden) in [
            ("10.0.0.5", "***"),
            ("at 10.0.0.5:8080.", "at ***."),
            ("x192.168.001.4y", "x***y"),
            ("1.2.3.4.5", "***"),
            ("999.1.2.3.4", "999.***"),
            ("10.0.0.0/8", "***/8"),
            ("http://10.0.0.5:80/x", "http://***/x"),
            ("ip-10-0-0-5.ec2.internal", "ip-***.ec2.internal"),
            ("::1", "***"),
            ("fe80::1%en0 up", "*** up"),
            ("[2001:db8::1]:443, ok", "***, ok"),
            ("[2001:DB8:0:0:0:0:0:1]", "***"),
            ("1:2:3:4:5:6:7:8", "***"),
            ("::ffff:192.0.2.1", "***"),
            ("at 2001:db8:1:2:3:4:192.0.2.1", "at ***"),
            ("gfe80::1", "g***"),
            ("a 10.0.0.5 and 10.0.0.6", "a *** and ***"),
            ("\u{e9}10.0.0.5\u{e9}", "\u{e9}***\u{e9}"),
            ("%2210.0.0.5%22", "%22***%22"),
            ("ip=%20192.0.2.10", "ip=%20***"),
            (r"\u003c10.0.0.5\u003e", r"\u003c***\u003e"),
        ] {
            assert_eq!(hide_addresses(text), hidden, "{text}");
            assert!(contains_address(text), "{text}");
            assert!(hidden.len() <= text.len(), "{text}");
        }
    }

    #[test]
    fn other_texts_stay() {
        for text in [
            "",
            "2026.9.6",
            "linux 6.18.44",
            "Chrome 140.0.7339.80",
            "10.0.26100.1",
            "1.2.3.256",
            "1.2.3.4567",
            "1.2-3.4",
            "12:30:05",
            "2026-11-28T10:00:00.000Z",
            "550e8400-e29b-41d4-a716-446655440000",
            "::",
            "a:b:c",
            "Node: x",
            "1010.0.0.5",
            "x2210.0.0.5",
            "u003c2210.0.0.5",
        ] {
            assert!(matches!(hide_addresses(text), Cow::Borrowed(_)), "{text}");
            assert!(!contains_address(text), "{text}");
        }
    }

    #[test]
    fn what_a_beacon_states_as_its_ip_is_hidden_whatever_it_is() {
        let text = |host: &str, ip: &str| {
            alloc::format!(
                "Node: {host} ({ip}) \u{b7} app 1 \u{b7} last input 1s ago \u{b7} mode ui \u{b7} reason 1.2.3.4"
            )
        };
        for (host, ip) in [
            ("studio", "lan-7"),
            ("10.0.0.5", "10.0.0.5"),
            ("studio", "a 10.0.0.5 b"),
        ] {
            let shown = if host == "studio" { host } else { MARK };
            let wanted = text(shown, MARK).replace("1.2.3.4", MARK);
            assert_eq!(hide_addresses(&text(host, ip)), wanted);
        }
        // No text becomes longer.
        for (ip, shown) in [("x", "*"), ("ab", "**"), (" ", " "), ("abc", "***")] {
            let wanted = text("studio", shown).replace("1.2.3.4", MARK);
            assert_eq!(hide_addresses(&text("studio", ip)), wanted, "{ip:?}");
        }
    }

    #[test]
    fn a_cut_leaves_no_part_of_an_address() {
        let text = "ab 10.0.0.5 cd";
        for (end, wanted) in [(2, 2), (3, 3), (4, 3), (10, 3), (11, 11), (14, 14)] {
            assert_eq!(cut_before_address(text, end), wanted, "{end}");
        }
        for text in ["at 192.168.1.", "at 192.16", "2001:db8:1", "ip-10-0"] {
            assert!(may_end_in_address(text), "{text}");
        }
        for text in ["8ef0", "at home", "a-b", "."] {
            assert!(!may_end_in_address(text), "{text}");
        }
    }

    /// With work that grows with the square of the length, this takes hours.
    #[test]
    fn long_texts_take_work_in_proportion_to_their_length() {
        const TIMES: usize = 1 << 18;
        for (part, hidden) in [
            ("1.1.1.1a", "***a".repeat(TIMES)),
            ("a1-1-1-1:", "a***:".repeat(TIMES)),
            ("1.1.1.1:9999999x", "***:9999999x".repeat(TIMES)),
            ("[::1]:1,", "***,".repeat(TIMES)),
            ("1.1.1x", "1.1.1x".repeat(TIMES)),
            ("9", "9".repeat(TIMES)),
            ("1.1.1", MARK.into()),
            (":a", MARK.into()),
        ] {
            let text = part.repeat(TIMES);
            // The texts are too long to be printed.
            assert!(hide_addresses(&text) == hidden, "{part}");
            assert_eq!(cut_before_address(&text, text.len()), text.len(), "{part}");
        }
    }
}
