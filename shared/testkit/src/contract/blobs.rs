//! What every blob store promises, as named cases: `testkit::blobs_contract!(make)`, where `make` is an
//! `async fn() -> Result<(blobs::Kept, K), Broken>` that answers an empty store and whatever has to live as long as it.

use super::{Broken, Outcome, all_of};
use async_trait::async_trait;
use domain::Digest;
use ports::blob::{BlobError, Blobs};
use std::sync::Arc;

/// An empty store, and somebody who can spoil what is in it.
pub struct Kept {
    pub blobs: Arc<dyn Blobs>,
    pub vandal: Box<dyn Damaging>,
}

#[async_trait]
pub trait Damaging: Send + Sync {
    /// From now on the blob has these bytes.
    async fn damage(&self, digest: &Digest, bytes: &[u8]) -> Outcome;
}

#[macro_export]
macro_rules! blobs_contract {
    ($make:path) => {
        $crate::blobs_contract! { @ $make:
            what_was_put_is_got_and_twice_is_once,
            what_is_not_there_is_missing,
            damage_is_noticed_and_healed_by_the_same_bytes,
            what_is_deleted_is_missing_and_may_come_again,
            many_at_once_agree,
            large_ones_come_back,
        }
    };
    (@ $make:path: $($case:ident),* $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $case() -> $crate::contract::Outcome {
            let (kept, _kept_too) = $make().await?;
            $crate::contract::blobs::$case(kept).await
        }
    )*};
}

pub async fn what_was_put_is_got_and_twice_is_once(kept: Kept) -> Outcome {
    for bytes in [&b""[..], b"hello", &[0, 255, 10]] {
        let digest = kept.blobs.put(bytes).await?;
        assert_eq!(digest, Digest::of_bytes(bytes));
        assert_eq!(kept.blobs.put(bytes).await?, digest);
        assert_eq!(kept.blobs.get(&digest).await?, bytes);
    }
    Ok(())
}

pub async fn what_is_not_there_is_missing(kept: Kept) -> Outcome {
    kept.blobs.put(b"there").await?;
    // As if somebody had edited a record.
    let forged = ["../secret", "", "AB", "é"].map(serde_json::Value::from);
    let forged = forged.into_iter().map(serde_json::from_value::<Digest>);
    for digest in forged.chain([Ok(Digest::of_bytes("never put"))]) {
        let digest = digest?;
        let answer = kept.blobs.get(&digest).await;
        assert!(
            matches!(&answer, Err(BlobError::Missing(d)) if *d == digest),
            "{answer:?}"
        );
    }
    Ok(())
}

pub async fn damage_is_noticed_and_healed_by_the_same_bytes(kept: Kept) -> Outcome {
    let digest = kept.blobs.put(b"content").await?;
    for spoiled in [&b"c0ntent"[..], b"", b"content and more"] {
        kept.vandal.damage(&digest, spoiled).await?;
        let answer = kept.blobs.get(&digest).await;
        assert!(
            matches!(&answer, Err(BlobError::Damaged(d)) if *d == digest),
            "{answer:?}"
        );
        kept.blobs.put(b"content").await?;
        assert_eq!(kept.blobs.get(&digest).await?, b"content");
    }
    Ok(())
}

pub async fn what_is_deleted_is_missing_and_may_come_again(kept: Kept) -> Outcome {
    let gone = kept.blobs.put(b"for an hour").await?;
    let stays = kept.blobs.put(b"for good").await?;
    // A second time it is not there, which is no error either; nor is a digest that is none.
    let forged: Digest = serde_json::from_value("../secret".into())?;
    for digest in [&gone, &gone, &forged] {
        kept.blobs.delete(digest).await?;
    }
    let answer = kept.blobs.get(&gone).await;
    assert!(
        matches!(&answer, Err(BlobError::Missing(d)) if *d == gone),
        "{answer:?}"
    );
    assert_eq!(kept.blobs.get(&stays).await?, b"for good");
    assert_eq!(kept.blobs.put(b"for an hour").await?, gone);
    assert_eq!(kept.blobs.get(&gone).await?, b"for an hour");
    // What is not what it was goes as well.
    kept.vandal.damage(&stays, b"for g00d").await?;
    kept.blobs.delete(&stays).await?;
    let answer = kept.blobs.get(&stays).await;
    assert!(matches!(answer, Err(BlobError::Missing(_))), "{answer:?}");
    Ok(())
}

/// Eight different contents, eight times each.
pub async fn many_at_once_agree(kept: Kept) -> Outcome {
    let content = |n: usize| vec![(n % 8) as u8; 100_000];
    let digests = all_of(64, |n| {
        let blobs = kept.blobs.clone();
        async move { Ok::<_, Broken>((n, blobs.put(&content(n)).await?)) }
    })
    .await?;
    for (n, digest) in digests {
        assert_eq!(kept.blobs.get(&digest).await?, content(n));
    }
    Ok(())
}

pub async fn large_ones_come_back(kept: Kept) -> Outcome {
    let large: Vec<u8> = (0..6_000_000_u32).map(|n| (n % 251) as u8).collect();
    let digest = kept.blobs.put(&large).await?;
    assert!(kept.blobs.get(&digest).await? == large);
    Ok(())
}
