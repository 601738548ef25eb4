//! What goes wrong, and which error it becomes; what must not be in an error.

use serde_json::json;

use super::*;
use crate::servers::model::Gate;

fn long() -> Reply {
    Reply::text_and_calls("one two three four", [("read_file", json!({"path": "a"}))])
}

#[tokio::test]
async fn a_status_becomes_the_error_that_says_what_to_do() {
    for dialect in BOTH {
        let refused = outcome(dialect, Reply::status(400).saying("no such model")).await;
        assert_eq!(
            refused,
            Err(ModelError::Refused("no such model".to_owned()))
        );
        let too_long = outcome(
            dialect,
            Reply::status(400).saying("prompt is too long: 3 > 2"),
        )
        .await;
        assert!(matches!(too_long, Err(ModelError::TooLong(_))));
        for status in [500, 503, 529] {
            let failed = outcome(dialect, Reply::status(status)).await;
            assert_eq!(
                failed,
                Err(ModelError::Unavailable(format!(
                    "scripted failure {status}"
                )))
            );
        }
        let forbidden = outcome(dialect, Reply::status(403)).await;
        assert!(matches!(forbidden, Err(ModelError::Unauthorized(_))));
    }
}

#[tokio::test]
async fn the_time_to_wait_is_passed_on() {
    for dialect in BOTH {
        let after = |retry_after| Err(ModelError::RateLimited { retry_after });
        let seconds = outcome(dialect, Reply::status(429).retry_after(7)).await;
        assert_eq!(seconds, after(Some(Duration::from_secs(7))));
        assert_eq!(outcome(dialect, Reply::status(429)).await, after(None));
        let past = Reply::status(429).retry_after_text("Wed, 21 Oct 2015 07:28:00 GMT");
        assert_eq!(outcome(dialect, past).await, after(Some(Duration::ZERO)));
    }
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_stays_secret() {
    for dialect in BOTH {
        let fake = FakeModel::start_with_key(Script::queue([]), "another")
            .await
            .unwrap();
        let model = adapter(&fake, dialect);
        let error = ask(&model, vec![user("hi")]).await.unwrap_err();
        assert_eq!(
            error,
            ModelError::Unauthorized("invalid API key: [key]".to_owned())
        );
        let probed = model.probe().await.unwrap_err();
        for text in [
            format!("{error:?}"),
            format!("{probed:?}"),
            format!("{model:?}"),
        ] {
            assert!(!text.contains(KEY), "{text}");
        }
    }
}

#[tokio::test]
async fn the_key_is_in_its_header_and_nowhere_else() {
    for dialect in BOTH {
        let fake = FakeModel::start_with_key(Script::queue([Reply::text("ok")]), KEY)
            .await
            .unwrap();
        ask(&adapter(&fake, dialect), vec![user("hi")])
            .await
            .unwrap();
        let recorded = fake.requests().remove(0);
        assert!(!String::from_utf8_lossy(&recorded.body).contains(KEY));
        let holders: Vec<_> = recorded
            .headers
            .iter()
            .filter(|(_, value)| value.to_str().unwrap().contains(KEY))
            .collect();
        assert_eq!(holders.len(), 1);
    }
}

#[tokio::test]
async fn a_connection_that_is_cut_is_broken() {
    for dialect in BOTH {
        for reply in [long().cut(), long().short()] {
            let error = outcome(dialect, reply.clone()).await.unwrap_err();
            assert!(
                matches!(error, ModelError::Broken(_)),
                "{dialect:?} {reply:?}: {error:?}"
            );
            assert!(error.is_transient() && error.may_cost());
        }
    }
}

#[tokio::test]
async fn nobody_at_home_is_unreachable() {
    for dialect in BOTH {
        // A port that is bound and does not listen: nobody else can have it meanwhile.
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let url = format!("http://{}", socket.local_addr().unwrap());
        let model = adapter_at(&url, dialect);
        let error = ask(&model, vec![user("hi")]).await.unwrap_err();
        assert!(matches!(error, ModelError::Unreachable(_)), "{error:?}");
        assert!(error.is_transient() && !error.may_cost());
        assert_eq!(model_http::detect_ollama(&url).await, None);
    }
}

#[tokio::test]
async fn an_error_in_the_stream_is_that_error() {
    for dialect in BOTH {
        let overloaded = outcome(dialect, long().failing_with("overloaded_error")).await;
        assert_eq!(
            overloaded,
            Err(ModelError::Unavailable(
                "scripted failure in the stream".to_owned()
            ))
        );
        let limited = outcome(dialect, long().failing_with("rate_limit_error")).await;
        assert_eq!(limited, Err(ModelError::RateLimited { retry_after: None }));
    }
}

#[tokio::test]
async fn what_is_no_answer_is_garbled() {
    for dialect in BOTH {
        let error = outcome(dialect, Reply::garbage()).await.unwrap_err();
        assert!(matches!(error, ModelError::Garbled(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_model_that_hangs_is_given_up() {
    for dialect in BOTH {
        let (before, amidst) = (Gate::new(), Gate::new());
        for reply in [
            Reply::text("late").held_by(&before),
            long().paused_by(&amidst),
        ] {
            let fake = FakeModel::start(Script::queue([reply])).await.unwrap();
            let timeout = Duration::from_millis(100);
            let request = ModelRequest {
                timeout,
                ..request(vec![user("hi")])
            };
            let outcome = adapter(&fake, dialect)
                .complete(&request, &mut |_| {})
                .await;
            assert_eq!(outcome, Err(ModelError::TimedOut(timeout)));
        }
    }
}

#[tokio::test]
async fn the_fake_is_as_strict_as_the_real_ones() {
    for dialect in BOTH {
        let called = outcome(dialect, Reply::calls([("list_files", json!({}))]))
            .await
            .unwrap();
        let fake = FakeModel::start(Script::answering(|_| Reply::text("never")))
            .await
            .unwrap();
        let model = adapter(&fake, dialect);
        let unanswered = vec![user("hi"), said(&called), user("and now?")];
        let unasked: Vec<_> = [user("hi")]
            .into_iter()
            .chain(results(&called, "a"))
            .collect();
        for messages in [unanswered, unasked] {
            let error = ask(&model, messages.clone()).await.unwrap_err();
            assert!(
                matches!(error, ModelError::Refused(_)),
                "{messages:?}: {error:?}"
            );
        }
    }
}
