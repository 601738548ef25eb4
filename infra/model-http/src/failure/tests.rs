use super::*;
use reqwest::header::HeaderValue;

fn of(status: u16, body: &str) -> ModelError {
    of_response(
        StatusCode::from_u16(status).unwrap(),
        &HeaderMap::new(),
        body,
    )
}

#[test]
fn each_providers_words_are_understood() {
    let text = |text: &str| text.to_owned();
    let cases = [
        (
            401,
            r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#,
            ModelError::Unauthorized(text("invalid x-api-key")),
        ),
        (
            403,
            "no\n\tentry",
            ModelError::Unauthorized(text("no entry")),
        ),
        (
            402,
            r#"{"error":{"message":"Insufficient credits","code":402}}"#,
            ModelError::Refused(text("Insufficient credits")),
        ),
        (
            429,
            r#"{"error":{"message":"quota","type":"insufficient_quota","code":"insufficient_quota"}}"#,
            ModelError::Refused(text("quota")),
        ),
        (429, "{}", ModelError::RateLimited { retry_after: None }),
        (
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 > 8"}}"#,
            ModelError::TooLong(text("prompt is too long: 9 > 8")),
        ),
        (
            400,
            r#"{"error":{"message":"m","code":"context_length_exceeded"}}"#,
            ModelError::TooLong(text("m")),
        ),
        (
            413,
            r#"{"error":{"type":"request_too_large","message":"big"}}"#,
            ModelError::TooLong(text("big")),
        ),
        (
            400,
            r#"{"error":{"message":"bad tool"}}"#,
            ModelError::Refused(text("bad tool")),
        ),
        (
            404,
            r#"{"error":"model \"x\" not found"}"#,
            ModelError::Refused(text("model \"x\" not found")),
        ),
        (
            529,
            r#"{"error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            ModelError::Unavailable(text("Overloaded")),
        ),
        (
            500,
            "",
            ModelError::Unavailable(text("500 Internal Server Error")),
        ),
        (
            502,
            "<html>Bad gateway</html>",
            ModelError::Unavailable(text("<html>Bad gateway</html>")),
        ),
    ];
    for (status, body, expected) in cases {
        assert_eq!(of(status, body), expected, "{status} {body}");
    }
    assert!(matches!(of(307, ""), ModelError::Refused(_)));
}

#[test]
fn an_error_in_a_stream_has_a_type_or_a_code() {
    let of = |json: &str| Told::from_body(json).into_model_error(None);
    assert_eq!(
        of(r#"{"type":"overloaded_error","message":"m"}"#),
        ModelError::Unavailable("m".to_owned())
    );
    assert_eq!(
        of(r#"{"type":"rate_limit_error","message":"m"}"#),
        ModelError::RateLimited { retry_after: None }
    );
    assert_eq!(
        of(r#"{"type":"invalid_request_error","message":"m"}"#),
        ModelError::Refused("m".to_owned())
    );
    assert_eq!(
        of(r#"{"code":502,"message":"m"}"#),
        ModelError::Unavailable("m".to_owned())
    );
    assert_eq!(
        of(r#"{"code":401,"message":"m"}"#),
        ModelError::Unauthorized("m".to_owned())
    );
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    let now = httpdate::parse_http_date("Wed, 21 Oct 2026 07:28:00 GMT").unwrap();
    let after = |value: &'static str, date: Option<&'static str>| {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_static(value));
        if let Some(date) = date {
            headers.insert("date", HeaderValue::from_static(date));
        }
        retry_after(&headers, now)
    };
    assert_eq!(after("7", None), Some(Duration::from_secs(7)));
    assert_eq!(after("0.5", None), Some(Duration::from_millis(500)));
    assert_eq!(
        after("Wed, 21 Oct 2026 07:29:00 GMT", None),
        Some(Duration::from_secs(60))
    );
    assert_eq!(
        after("Wed, 21 Oct 2026 07:20:00 GMT", None),
        Some(Duration::ZERO)
    );
    let servers = Some("Wed, 21 Oct 2026 07:28:50 GMT");
    assert_eq!(
        after("Wed, 21 Oct 2026 07:29:00 GMT", servers),
        Some(Duration::from_secs(10))
    );
    for nonsense in ["-1", "soon", "inf", ""] {
        assert_eq!(after(nonsense, None), None, "{nonsense}");
    }
}

#[test]
fn a_long_text_is_cut_to_a_line() {
    let line = shorten(&"ä\u{7}b\n".repeat(1000));
    assert!(line.len() <= TEXT_BYTES + '…'.len_utf8() && !line.contains(char::is_control));
    assert!(line.starts_with("ä b ä b") && line.ends_with('…'));
    assert_eq!(shorten(" a\r\n b "), "a b");
}
