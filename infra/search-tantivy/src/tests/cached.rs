//! The cache directory: a convenience that may be full, damaged, shared and gone.

use super::place;
use crate::{Place, TantivyIndex};
use ports::search::{SearchError, SearchIndex};
use std::{fs, sync::Arc};
use testkit::{
    blobs::MemoryBlobs,
    contract::{
        Outcome,
        search::{entry, found, manifest},
    },
};

#[tokio::test]
async fn another_process_reads_what_one_has_fetched() -> Outcome {
    let directory = tempfile::tempdir()?;
    let blobs = Arc::new(MemoryBlobs::new());
    let writer = TantivyIndex::new(blobs.clone(), place(&directory));
    let segment = writer.write("", vec![entry("cats", 0, "cat")]).await?;
    let of = [manifest(&[&segment], &[])];
    blobs.lose(&segment.blob);
    let reader = TantivyIndex::new(blobs, place(&directory));
    assert_eq!(found(&reader, &of, "cat").await?, ["cats 0"]);
    // What is only here is not safe.
    let verified = reader.verify(&of[0]).await;
    assert!(
        matches!(verified, Err(SearchError::Damaged(_))),
        "{verified:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_damaged_or_lost_copy_is_fetched_again() -> Outcome {
    let directory = tempfile::tempdir()?;
    let blobs = Arc::new(MemoryBlobs::new());
    let writer = TantivyIndex::new(blobs.clone(), place(&directory));
    let segment = writer.write("", vec![entry("cats", 0, "cat")]).await?;
    let of = [manifest(&[&segment], &[])];
    let copy = directory.path().join(segment.blob.as_str());
    fs::write(&copy, "nonsense")?;
    let reader = TantivyIndex::new(blobs.clone(), place(&directory));
    assert_eq!(found(&reader, &of, "cat").await?, ["cats 0"]);
    assert_eq!(fs::metadata(&copy)?.len(), segment.bytes);
    fs::remove_file(&copy)?;
    // Who has it open doesn't notice.
    assert_eq!(found(&reader, &of, "cat").await?, ["cats 0"]);
    let reader = TantivyIndex::new(blobs, place(&directory));
    assert_eq!(found(&reader, &of, "cat").await?, ["cats 0"]);
    Ok(())
}

/// As on a full disk.
#[tokio::test]
async fn where_nothing_can_be_kept_memory_does() -> Outcome {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("file");
    fs::write(&file, "in the way")?;
    let nowhere = Place {
        directory: file,
        limit: 1_000_000,
    };
    let index = TantivyIndex::new(Arc::new(MemoryBlobs::new()), nowhere);
    let segment = index.write("", vec![entry("cats", 0, "cat")]).await?;
    let of = [manifest(&[&segment], &[])];
    assert_eq!(found(&index, &of, "cat").await?, ["cats 0"]);
    assert_eq!(index.verify(&of[0]).await?, 1);
    Ok(())
}

#[tokio::test]
async fn what_was_used_longest_ago_makes_room() -> Outcome {
    let directory = tempfile::tempdir()?;
    let blobs = Arc::new(MemoryBlobs::new());
    let text = (0..500).map(|n| format!("word{n} ")).collect::<String>();
    let small = Place {
        limit: 20_000,
        ..place(&directory)
    };
    let index = TantivyIndex::new(blobs, small);
    let mut segments = Vec::new();
    for n in 0..20 {
        let title = format!("document {n}");
        segments.push(index.write("", vec![entry(&title, 0, &text)]).await?);
    }
    let kept = || -> Result<u64, std::io::Error> {
        let sizes = fs::read_dir(directory.path())?.map(|entry| Ok(entry?.metadata()?.len()));
        sizes.sum()
    };
    assert!(segments.iter().map(|segment| segment.bytes).sum::<u64>() > 30_000);
    assert!(kept()? <= 20_000, "{}", kept()?);
    let of = [manifest(&segments.iter().collect::<Vec<_>>(), &[])];
    assert_eq!(found(&index, &of, "word7").await?.len(), 10);
    assert!(kept()? <= 20_000, "{}", kept()?);
    Ok(())
}

#[tokio::test]
async fn copies_of_what_is_deleted_go_here_at_once_and_elsewhere_in_a_day() -> Outcome {
    let (here, there) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let blobs = Arc::new(MemoryBlobs::new());
    let index = TantivyIndex::new(blobs.clone(), place(&here));
    let segment = index.write("", vec![entry("cats", 0, "cat")]).await?;
    let of = [manifest(&[&segment], &[])];
    let other = TantivyIndex::new(blobs.clone(), place(&there));
    assert_eq!(found(&other, &of, "cat").await?, ["cats 0"]);
    index.delete(std::slice::from_ref(&segment)).await?;
    let copy = |place: &tempfile::TempDir| place.path().join(segment.blob.as_str());
    assert!(!copy(&here).exists() && copy(&there).exists());
    assert_eq!(blobs.count(), 0);
    let yesterday = std::time::SystemTime::now() - std::time::Duration::from_secs(25 * 3600);
    fs::File::open(copy(&there))?.set_modified(yesterday)?;
    let later = TantivyIndex::new(blobs, place(&there));
    later.write("", vec![entry("dogs", 0, "dog")]).await?;
    assert!(!copy(&there).exists());
    Ok(())
}
