//! Against ministack, which `cargo xtask test` starts; and against nothing at all.

use super::*;
use aws_credential_types::Credentials;
use tokio::sync::Notify;

/// Nobody waits that long: who comes back earlier was woken.
const LONG: Duration = Duration::from_secs(20);

/// One bell for all lanes.
#[derive(Default)]
struct Bell(Notify);

#[async_trait]
impl Wake for Bell {
    fn wake(&self, _: &str) {
        self.0.notify_one();
    }
    async fn wait(&self, _: &[&str], limit: Duration) {
        let _ = tokio::time::timeout(limit, self.0.notified()).await;
    }
}

/// A client with made-up credentials; nothing of the machine's configuration is read.
fn client(endpoint: &str) -> Client {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(aws_sdk_sqs::config::BehaviorVersion::latest())
        .region(aws_sdk_sqs::config::Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(endpoint)
        .http_client(client_aws::https())
        .build();
    Client::from_conf(config)
}

fn wake(client: Client, queue: &str) -> SqsWake {
    let queues = [("run".to_owned(), queue.to_owned())].into();
    SqsWake::new(client, queues, Arc::new(Bell::default()))
}

#[tokio::test]
async fn a_queue_that_cannot_be_reached_changes_nothing_but_latency() {
    let nobody = "http://127.0.0.1:9";
    let wake = Arc::new(wake(client(nobody), &format!("{nobody}/queue/run")));
    wake.wake("run");
    wake.sent().await;
    wake.wait(&["run"], LONG).await;
    assert!(wake.depth(&format!("{nobody}/queue/run")).await.is_err());
}

/// Where there is no emulator, xtask leaves this module out by its name, and says so.
mod aws {
    use super::*;

    /// A client and a new queue.
    async fn queue(name: &str) -> (Client, String) {
        let endpoint = std::env::var("COUNTERSIGN_TEST_AWS")
            .expect("COUNTERSIGN_TEST_AWS names an AWS emulator: `cargo xtask test` starts one");
        let client = client(&endpoint);
        let name = format!("wake-{name}-{}", std::process::id());
        let made = client.create_queue().queue_name(name).send().await.unwrap();
        (client, made.queue_url.unwrap())
    }

    /// Messages that SQS holds back.
    async fn delayed(client: &Client, queue: &str) -> String {
        let name = QueueAttributeName::ApproximateNumberOfMessagesDelayed;
        let asked = client.get_queue_attributes().queue_url(queue);
        let answer = asked.attribute_names(name.clone()).send().await.unwrap();
        answer.attributes.unwrap()[&name].clone()
    }

    #[tokio::test]
    async fn a_wake_reaches_who_waits_in_another_process_and_is_taken_away() {
        let (client, queue) = queue("reach").await;
        let (here, there) = (wake(client.clone(), &queue), wake(client, &queue));
        let waiting = tokio::spawn(async move {
            there.wait(&["run", "send"], LONG).await;
            there
        });
        here.wake("run");
        let there = tokio::time::timeout(LONG, waiting).await.unwrap().unwrap();
        assert_eq!(there.depth(&queue).await, Ok(0));
    }

    /// A wait is over because of work within the process, while the queue is asked. The hint that comes then is heard all the same.
    #[tokio::test]
    async fn a_wait_that_is_over_takes_no_hint_with_it() {
        let (client, queue) = queue("over").await;
        let (here, there) = (wake(client.clone(), &queue), wake(client, &queue));
        tokio::join!(there.wait(&["run"], LONG), async {
            // An answer from there: by then it has the question before it too.
            here.depth(&queue).await.unwrap();
            there.wake("a lane without a queue");
        });
        here.wake("run");
        let waiting = there.wait(&["run"], LONG * 2);
        assert_eq!(tokio::time::timeout(LONG, waiting).await, Ok(()));
    }

    #[tokio::test]
    async fn what_was_sent_is_with_the_queue_before_the_process_is_frozen() {
        let (client, queue) = queue("sent").await;
        let wake = wake(client, &queue);
        for _ in 0..3 {
            wake.wake("run");
        }
        wake.wake("a lane without a queue");
        wake.sent().await;
        assert_eq!(wake.depth(&queue).await, Ok(3));
        wake.wake("run");
        wake.sent().await;
        assert_eq!(wake.depth(&queue).await, Ok(4), "it can go on after it");
    }

    #[tokio::test]
    async fn a_delayed_wake_is_planned_once_unless_an_earlier_one_is_wanted() {
        let (client, queue) = queue("delay").await;
        let wake = wake(client.clone(), &queue);
        let seconds = Duration::from_secs;
        for delay in [600, 600, 800] {
            wake.wake_in("run", seconds(delay));
        }
        wake.sent().await;
        assert_eq!(delayed(&client, &queue).await, "1");
        wake.wake_in("run", seconds(300));
        wake.wake_in("run", LONGEST_DELAY + seconds(1));
        wake.sent().await;
        assert_eq!(delayed(&client, &queue).await, "2");
        assert_eq!(
            wake.depth(&queue).await,
            Ok(0),
            "nothing comes before its time"
        );
    }
}
