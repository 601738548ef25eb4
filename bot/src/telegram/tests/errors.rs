use super::*;
use ports::message::SendError;
use std::time::Duration;

fn refused(code: u16, description: &str) -> ApiError {
    ApiError::Refused {
        code,
        description: description.to_owned(),
        retry_after: None,
        migrate_to: None,
    }
}

/// The name of the variant.
fn meaning(code: u16, description: &str) -> String {
    let error = format!("{:?}", send_error(refused(code, description)));
    error.split('(').next().unwrap().to_owned()
}

#[test]
fn each_refusal_has_its_meaning() {
    for (code, description, wanted) in [
        (403, "Forbidden: bot was blocked by the user", "Gone"),
        (
            403,
            "Forbidden: bot was kicked from the supergroup chat",
            "Gone",
        ),
        (403, "Forbidden: user is deactivated", "Gone"),
        (400, "Bad Request: chat not found", "Gone"),
        (400, "Bad Request: message thread not found", "Gone"),
        (400, "Bad Request: message to edit not found", "Missing"),
        (400, "Bad Request: message can't be edited", "Missing"),
        (400, "Bad Request: message is too long", "Refused"),
        (429, "Too Many Requests", "RetryAfter"),
        (500, "Internal Server Error", "Unknown"),
        (502, "HTTP status 502", "Unknown"),
        (401, "Unauthorized", "NotDelivered"),
    ] {
        assert_eq!(meaning(code, description), wanted, "{code} {description}");
    }
}

#[tokio::test]
async fn parameters_and_pages_are_read_from_the_wire() {
    let stub = Stub::start().await;
    stub.answer(429, json!({"ok": false, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 9}}));
    stub.answer(400, json!({"ok": false, "error_code": 400, "description": "x", "parameters": {"migrate_to_chat_id": -100}}));
    stub.answers
        .lock()
        .unwrap()
        .push_back((502, "<html>Bad Gateway</html>".to_owned()));
    stub.answers
        .lock()
        .unwrap()
        .push_back((200, "<html>fine</html>".to_owned()));
    let mut errors = Vec::new();
    for _ in 0..4 {
        errors.push(send_error(stub.api.me().await.unwrap_err()));
    }
    assert_eq!(errors[0], SendError::RetryAfter(Duration::from_secs(9)));
    assert_eq!(errors[1], SendError::Moved("telegram:-100".into()));
    assert!(
        matches!(errors[2], SendError::Unknown(_)) && matches!(errors[3], SendError::Unknown(_)),
        "{errors:?}"
    );
    assert_eq!(stub.api.me().await, Ok(me()));
}

#[tokio::test]
async fn without_a_connection_nothing_was_delivered() {
    // A port that was free a moment ago and that nobody listens on.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = Api::new("42:secret", Some(url.parse().unwrap()))
        .me()
        .await
        .unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
    assert!(matches!(send_error(error), SendError::NotDelivered(_)));
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_it_open() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = [0; 64];
        tokio::io::AsyncReadExt::read(&mut stream, &mut bytes)
            .await
            .unwrap();
    });
    let error = Api::new("42:secret", Some(url.parse().unwrap()))
        .me()
        .await
        .unwrap_err();
    server.await.unwrap();
    assert!(!error.to_string().contains("secret"), "{error}");
    assert!(matches!(send_error(error), SendError::Unknown(_)));
}
