//! Documents whose bytes are in S3: on its bad days, and when they are to go.

use super::{
    Team,
    cited::{reads, says},
};

/// With a program on a table.
mod aws {
    use super::*;
    use crate::flows::{
        Program,
        knowledge::is_whole,
        postgres::aws::{Place, emulator},
    };
    use tests::servers::{telegram::FakeTelegram, wire::Wire};

    /// A team on a table and a bucket, reached over a wire.
    async fn wired() -> (Team, Wire, String) {
        let emulator = emulator();
        let target = emulator.trim_start_matches("http://");
        let wire = Wire::to(target).await.unwrap();
        let (tg, place) = (FakeTelegram::start().await, Place::make().await);
        let mut program = Program::new(&tg);
        let endpoint = format!("http://{}", wire.address());
        place.is_of(&mut program, &endpoint, "the-key-of-its-audit");
        program.up().await;
        let bucket = place.name.clone();
        (Team::of(tg, program).await, wire, bucket)
    }

    /// From now on no answer comes to what is asked of S3 in these words; the table answers.
    fn away(wire: &Wire, words: &str) {
        wire.lose_answers_to(words.as_bytes(), 1);
    }

    fn back(wire: &Wire) {
        wire.lose_answers_to(b"", 1);
    }

    #[tokio::test]
    async fn while_s3_is_away_it_is_said_and_nothing_is_lost() {
        let (mut team, wire, bucket) = wired().await;
        let ann = &team.ann;
        reads(ann, "a.md", b"# A\n\nThe train leaves at noon.\n", "").await;

        let blobs = format!("/{bucket}/blobs/");
        away(&wire, &blobs);
        let search = ["knowledge", "search", "train"];
        let (status, out, err) = team.program.run(&search).await;
        assert!(
            status == 1
                && err.contains("can’t be read at the moment")
                && err.contains("Nothing is lost"),
            "{out}{err}"
        );
        let sent = ann.send_document("b.md", b"# B\n\nThe ship leaves at six.\n");
        let said = ann.wait_for_message_after(sent).await;
        assert!(
            said.text.contains("“b.md” can’t be kept at the moment"),
            "{}",
            said.text
        );
        assert!(wire.lost() > 1, "it was tried again");
        back(&wire);
        let (status, out, err) = team.program.run(&search).await;
        assert!(
            status == 0 && out.contains("The train leaves at noon."),
            "{out}{err}"
        );
        reads(ann, "b.md", b"# B\n\nThe ship leaves at six.\n", "").await;
        is_whole(&team.program, 2).await;

        // It goes away when the file is kept and not yet read: that waits, and goes on by itself.
        away(&wire, &format!("GET {blobs}"));
        let sent = ann.send_document("c.md", b"# C\n\nThe bus leaves at two.\n");
        let card = ann.wait_for_message_after(sent).await;
        assert!(card.text.starts_with("Reading “c.md”"), "{}", card.text);
        team.program.wait_for("postponed").await;
        back(&wire);
        ann.wait_for_text("Read: C").await;
        says(ann, "/search bus", "The bus leaves at two.").await;

        // Answers that are lost here and there are nobody's business.
        wire.lose_answers_to(blobs.as_bytes(), 3);
        reads(ann, "d.md", b"# D\n\nThe plane leaves at one.\n", "").await;
        assert!(wire.lost() > 0);
        back(&wire);
        is_whole(&team.program, 4).await;
        team.program.assert_well();
    }
}

/// The template deployed.
mod functions {
    use super::*;
    use crate::flows::{cloud::Cloud, team::Home};
    use serde_json::json;
    use std::{collections::BTreeSet, time::Duration};

    fn objects(cloud: &Cloud) -> BTreeSet<String> {
        let listed = json!({"Bucket": cloud.physical("Bucket"), "Prefix": "blobs/"});
        let listed = cloud.call("s3", "list_objects_v2", &listed);
        let all = listed["Contents"].as_array().into_iter().flatten();
        all.map(|one| one["Key"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Wakes that function until so many of these are left.
    async fn are_left(cloud: &Cloud, kept: &BTreeSet<String>, count: usize) {
        let mut looks = tokio::time::interval(Duration::from_millis(200));
        let left = || objects(cloud).intersection(kept).count();
        for _ in 0..300 {
            looks.tick().await;
            assert!(cloud.invoke("IngestFunction"));
            if left() <= count {
                break;
            }
        }
        assert_eq!(left(), count);
    }

    #[tokio::test]
    async fn what_is_removed_is_gone_from_the_bucket_an_hour_later() {
        let team = Team::in_home(Home::Cloud, &[]).await;
        let (ann, cloud) = (&team.ann, team.cloud.as_ref().unwrap());
        let place = tempfile::tempdir().unwrap();
        let before = objects(cloud);
        let card = reads(ann, "a.md", b"# A\n\nThe train leaves at noon.\n", "").await;
        let first: BTreeSet<_> = objects(cloud).difference(&before).cloned().collect();
        // Its original, its passages, where these are, its segment.
        assert_eq!(first.len(), 4, "{first:?}");
        reads(ann, "b.md", b"# B\n\nThe ship leaves at six.\n", "").await;
        let both: BTreeSet<_> = objects(cloud).difference(&before).cloned().collect();
        assert_eq!(both.len(), 8, "{both:?}");
        let tap = ann.tap(card.id, "Remove");
        let said = ann.wait_for_answer(&tap).await;
        assert_eq!(said, "Removed: it is not found any more.");
        says(ann, "/search train", "Nothing found").await;
        assert!(
            objects(cloud).is_superset(&both),
            "who began to read goes on"
        );
        cloud.set_clock("IngestFunction", &place.path().join("clock"), 4000);
        // Segments go when they are merged, or with their collection.
        are_left(cloud, &first, 1).await;
        are_left(cloud, &both, 5).await;
        says(ann, "/search ship", "The ship leaves at six.").await;
        team.ask("/kb remove docs", "The collection is gone: docs")
            .await;
        are_left(cloud, &both, 0).await;
        team.assert_well();
    }
}
