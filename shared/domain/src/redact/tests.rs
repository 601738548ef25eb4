//! No secret survives any of its spellings, redacting twice is redacting once, JSON stays JSON.

use super::*;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::json;

const KEY: &str = "sk-live-0123456789";

fn redactor() -> Redactor {
    Redactor::new([("key", KEY)])
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

fn ascii(text: &str) -> String {
    text.encode_utf16()
        .map(|unit| format!("\\u{unit:04x}"))
        .collect()
}

#[test]
fn a_secret_is_named_where_it_stood() {
    assert_eq!(
        redactor().text(&format!("curl -H 'X: {KEY}' {KEY}")),
        "curl -H 'X: [secret:key]' [secret:key]"
    );
    assert!(matches!(redactor().text("nothing here"), Cow::Borrowed(_)));
    assert_eq!(format!("{:?}", redactor()), "Redactor(6 needles)");
}

#[test]
fn usual_spellings_are_found() {
    let mail = format!("ann:{KEY}:more");
    let wrapped = STANDARD.encode(format!("{}{KEY}", "x".repeat(50)));
    let wrapped = format!("{}\n{}", &wrapped[..76], &wrapped[76..]);
    for spelling in [
        percent(KEY),
        ascii(KEY),
        KEY.replace('-', "%2D"),
        hex::encode(KEY),
        hex::encode_upper(KEY),
        STANDARD.encode(&mail),
        wrapped,
        format!("{}\n{}", &KEY[..5], &KEY[5..]),
        json!({"nested": json!({"deep": percent(KEY)}).to_string()}).to_string(),
    ] {
        let clean = redactor().text(&spelling).into_owned();
        assert!(clean.contains("[secret:key]"), "{spelling} → {clean}");
    }
}

#[test]
fn a_key_of_several_lines_is_found() {
    let pem = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----";
    let redactor = Redactor::new([("pem", pem)]);
    let text = format!("cat key.pem\n{pem}\n");
    assert_eq!(redactor.text(&text), "cat key.pem\n[secret:pem]\n");
    let document = json!({"output": text}).to_string();
    assert_eq!(
        redactor.json(&document),
        r#"{"output":"cat key.pem\n[secret:pem]\n"}"#
    );
}

const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\nMzEfYyjiWA4R4/M2bS1GB4t7NXp98C3SC6dVMvDuictGeurT8jNbvJZHtCSuYEvu\n-----END PRIVATE KEY-----\n";

/// A diff, `grep`, an indented document and `head` show it line by line.
#[test]
fn each_long_line_of_a_key_is_found_by_itself() {
    let redactor = Redactor::new([("pem", PEM)]);
    for margin in ["", "+", "    ", "key.pem:3: ", "> | "] {
        for count in 2..=4 {
            let lines = PEM.lines().take(count);
            let text: String = lines.map(|line| format!("{margin}{line}\n")).collect();
            let clean = redactor.text(&text).into_owned();
            let left = PEM
                .lines()
                .any(|line| clean.contains(line) && !line.starts_with("--"));
            assert!(!left && clean.contains("[secret:pem]"), "{clean}");
        }
    }
    let begins = "-----BEGIN PRIVATE KEY-----\nof another";
    assert_eq!(redactor.text(begins), begins);
}

#[test]
fn grouped_digits_and_marked_lines_are_found() {
    let hex = hex::encode(KEY);
    let groups = |size, between: &str| {
        let groups = hex.as_bytes().chunks(size);
        let groups: Vec<&str> = groups
            .map(|group| std::str::from_utf8(group).unwrap())
            .collect();
        groups.join(between)
    };
    let bytes: String = KEY.bytes().map(|byte| format!("\\x{byte:02X}")).collect();
    for spelling in [
        groups(4, " "),
        groups(2, ":"),
        groups(2, " ").to_uppercase(),
        groups(30, ":\n    "),
        bytes,
        format!("{}\n    {}", &KEY[..10], &KEY[10..]),
        format!("> {}\r\n> {}", &KEY[..10], &KEY[10..]),
        format!("+{}\n+{}", &KEY[..10], &KEY[10..]),
    ] {
        let clean = redactor().text(&spelling).into_owned();
        assert!(clean.contains("[secret:key]"), "{spelling} → {clean}");
        let document = json!({"a": spelling}).to_string();
        let clean = redactor().json(&document).into_owned();
        assert!(clean.contains("[secret:key]"), "{document} → {clean}");
        assert!(clean.starts_with(r#"{"a":""#), "{clean}");
    }
    let plain = "dead beef: a cafe, 12:34:56";
    assert_eq!(redactor().text(plain), plain);
}

/// One holds the other, one ends as the other begins.
#[test]
fn the_longest_is_taken_and_overlaps_go_whole() {
    let redactor = Redactor::new([
        ("short", "abcdefgh"),
        ("long", "abcdefghijkl"),
        ("next", "ijklmnopq"),
    ]);
    assert_eq!(
        redactor.text("abcdefghijkl abcdefgh"),
        "[secret:long] [secret:short]"
    );
    assert_eq!(redactor.text("abcdefghijklmnopq"), "[secret:long]mnopq");
}

#[test]
fn what_is_short_or_a_marker_is_no_needle() {
    let redactor = Redactor::new([
        ("pin", "1234567"),
        ("odd", "[secret:"),
        ("own", "secret:own"),
    ]);
    assert_eq!(
        redactor.text("1234567 [secret: secret:own"),
        "1234567 [secret: secret:own"
    );
}

#[test]
fn numbers_stay_numbers_and_json_stays_json() {
    let redactor = Redactor::new([("pin", "12345678")]);
    let update = r#"{"chat":{"id":12345678},"text":"my pin is 12345678"}"#;
    let clean = r#"{"chat":{"id":12345678},"text":"my pin is [secret:pin]"}"#;
    assert_eq!(redactor.text(update), clean);
    let stored = json!({"raw": update}).to_string();
    assert_eq!(redactor.json(&stored), json!({"raw": clean}).to_string());
}

#[test]
fn names_of_fields_are_texts_too() {
    let mut value = json!({KEY: [{"a": KEY}], "b": 1});
    assert!(redactor().value(&mut value));
    assert_eq!(
        value,
        json!({"[secret:key]": [{"a": "[secret:key]"}], "b": 1})
    );
    assert!(!redactor().value(&mut value));
}

#[test]
fn a_text_that_grows_shows_no_half() {
    let redactor = redactor();
    let text = format!("it is {KEY} indeed");
    let (mut shown, mut pending) = (String::new(), String::new());
    for piece in text.chars() {
        pending.push(piece);
        let settled = redactor.settled(&pending);
        shown.push_str(&redactor.text(&pending[..settled]));
        pending.drain(..settled);
        assert!(!shown.contains("sk-"), "{shown}");
    }
    assert_eq!(shown + &pending, "it is [secret:key] indeed");
    assert_eq!(redactor.settled("at %73k"), 3);
    assert_eq!(Redactor::default().settled("at %73k"), 7);
    assert_eq!(
        redactor.cut(&format!("{KEY} and {}", &KEY[..12])),
        "[secret:key] and [secret:…]"
    );
    assert_eq!(redactor.cut("as"), "as");
}

/// Whatever the view that it will be found through, and wherever the stream is cut.
#[test]
fn a_text_that_grows_shows_no_half_that_a_view_would_find() {
    let redactor = redactor();
    let grouped: Vec<String> = KEY.bytes().map(|byte| format!("{byte:02x}")).collect();
    for spelling in [
        format!("{}\n{}", &KEY[..10], &KEY[10..]),
        format!("> {}\n> {}", &KEY[..10], &KEY[10..]),
        grouped.join(" "),
        grouped.join(":"),
    ] {
        let (mut shown, mut pending) = (String::new(), String::new());
        for piece in format!("it is {spelling} indeed").chars() {
            pending.push(piece);
            let settled = redactor.settled(&pending);
            shown.push_str(&redactor.text(&pending[..settled]));
            pending.drain(..settled);
        }
        shown.push_str(&redactor.text(&pending));
        assert!(shown.contains("[secret:key] indeed"), "{shown}");
    }
}

fn secret() -> impl Strategy<Value = String> {
    // Also what JSON, addresses and lines have a meaning for.
    prop_oneof!["[!-~]{8,24}", "[a\"\\\\%/ äß€😀\n]{8,16}", "[ab]{8,10}"]
        .prop_filter("not looked for", |value| value.len() >= SHORTEST)
}

fn spelled(how: u8, value: &str) -> String {
    match how {
        0 => value.to_owned(),
        1 => json!(value).to_string(),
        2 => json!(json!([value]).to_string()).to_string(),
        3 => percent(value),
        4 => ascii(value),
        5 => STANDARD.encode(value),
        6 => STANDARD.encode(format!("x{value}")),
        7 => STANDARD.encode(format!("xy{value}z")),
        _ => hex::encode(value),
    }
}

proptest! {
    #[test]
    fn none_survives(
        secrets in prop::collection::vec(secret(), 1..4),
        around in "[ -~ä\n]{0,12}",
        how in 0..9_u8,
    ) {
        let names: Vec<String> = (0..secrets.len()).map(|n| format!("s{n}")).collect();
        let redactor = Redactor::new(names.iter().map(String::as_str).zip(secrets.iter().map(String::as_str)));
        for secret in &secrets {
            let spelling = spelled(how, secret);
            let text = format!("{around} {spelling} {around}");
            let clean = redactor.text(&text).into_owned();
            prop_assert!(clean.contains("[secret:s"), "{text} → {clean}");
            for other in &secrets {
                prop_assert!(!clean.contains(other.as_str()), "{text} → {clean}");
            }
            prop_assert_eq!(redactor.text(&clean), clean.as_str());
        }
    }

    #[test]
    fn json_stays_json(secret in secret(), around in "[ -~ä\n]{0,12}", how in 0..9_u8) {
        let redactor = Redactor::new([("s", secret.as_str())]);
        // Apart: a backslash right before an escape makes another text of it.
        let text = format!("{around} {}", spelled(how, &secret));
        let document = canonical_json(&json!({"a": [text, 7, null], "raw": json!({"t": text}).to_string()})).unwrap();
        let clean = redactor.json(&document).into_owned();
        let value: Value = serde_json::from_str(&clean).unwrap();
        prop_assert_eq!(&canonical_json(&value).unwrap(), &clean);
        prop_assert!(value["a"][0].as_str().unwrap().contains("[secret:s]"), "{}", clean);
        let raw: Value = serde_json::from_str(value["raw"].as_str().unwrap()).unwrap();
        prop_assert!(raw["t"].as_str().unwrap().contains("[secret:s]"), "{}", clean);
        prop_assert_eq!(redactor.json(&clean), clean.as_str());
    }

    #[test]
    fn any_bytes_go_through(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(redactor().bytes(&bytes), bytes.as_slice());
    }
}
