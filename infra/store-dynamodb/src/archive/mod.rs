//! The portable copy. Out: writing is held back (see [`crate::gate`]) while all of the table is read. In: another generation of
//! keys is filled, which counts with the last write; one that never came to count is removed by the next import.

mod export;
mod import;

use crate::{
    DynamoStore,
    gate::{self, Freeze},
    keys::Space,
};
use async_trait::async_trait;
use futures::{StreamExt, stream};
use ports::{
    archive::{Archive, ArchiveError, Items},
    store::StoreError,
};
use std::{future::Future, time::Duration};
use tokio::{sync::mpsc, time::Instant};
use uuid::Uuid;

/// Items that are read ahead.
const AHEAD: usize = 64;
const BEAT: Duration = Duration::from_secs(2);
/// How long one copy waits for another.
const PATIENCE: Duration = Duration::from_secs(60);

#[async_trait]
impl Archive for DynamoStore {
    async fn export(&self) -> Result<Items, ArchiveError> {
        let mut freeze = self.hold_back().await?;
        let space = self.gate.space(self).await?;
        let (items, received) = mpsc::channel(AHEAD);
        let store = self.clone();
        tokio::spawn(async move {
            let copied = store
                .while_beating(&mut freeze, export::copy(&store, &space, &items))
                .await;
            // Who writes waits no longer than for the copy; a thaw that fails is done by whoever waits.
            let _ = gate::thaw(&store, &freeze).await;
            if let Err(error) = copied {
                let _ = items.send(Err(error)).await;
            }
        });
        let next =
            |mut from: mpsc::Receiver<_>| async { from.recv().await.map(|item| (item, from)) };
        Ok(stream::unfold(received, next).boxed())
    }

    async fn import(&self, items: Items) -> Result<(), ArchiveError> {
        let space = self.gate.space(self).await?;
        import::empty(self, &space).await?;
        import::clean(self, &space).await?;
        let fresh = Space(Uuid::now_v7().simple().to_string().into());
        import::fill(self, &fresh, items).await?;
        let mut freeze = self.hold_back().await?;
        let checked = self
            .while_beating(&mut freeze, import::empty(self, &space))
            .await;
        let turned = match checked {
            Ok(()) => gate::turn_over(self, &freeze, &fresh).await?,
            Err(error) => {
                gate::thaw(self, &freeze).await?;
                return Err(error);
            }
        };
        self.gate.forget().await;
        match turned {
            true => Ok(()),
            false => Err(lost()),
        }
    }
}

impl DynamoStore {
    /// Holds back writing, and answers when everybody's has ended.
    async fn hold_back(&self) -> Result<Freeze, ArchiveError> {
        let mut freeze = Freeze {
            by: Uuid::now_v7().simple().to_string(),
            beat: 0,
        };
        // Whoever waited for a copy before this one has its turn first.
        tokio::time::sleep(gate::LOOK_AGAIN * 2).await;
        let begun = Instant::now();
        while !gate::freeze(self, &freeze).await? {
            if begun.elapsed() > PATIENCE {
                return Err(
                    StoreError::Unavailable("another copy is being made".to_owned()).into(),
                );
            }
            // Waits for the other copy, or removes what a dead one left.
            self.gate.forget().await;
            match self.gate.open(self).await {
                Ok(_) | Err(StoreError::Unavailable(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let settled = async {
            tokio::time::sleep(self.options.settle).await;
            Ok(())
        };
        match self.while_beating(&mut freeze, settled).await {
            Ok(()) => Ok(freeze),
            Err(error) => {
                gate::thaw(self, &freeze).await?;
                Err(error)
            }
        }
    }

    /// Works under the freeze, and answers an error when it was removed meanwhile.
    async fn while_beating<T>(
        &self,
        freeze: &mut Freeze,
        work: impl Future<Output = Result<T, ArchiveError>>,
    ) -> Result<T, ArchiveError> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => {
                    let done = done?;
                    return match gate::beat(self, freeze).await? {
                        true => Ok(done),
                        false => Err(lost()),
                    };
                }
                () = tokio::time::sleep(BEAT) => {
                    if !gate::beat(self, freeze).await? {
                        return Err(lost());
                    }
                }
            }
        }
    }
}

fn lost() -> ArchiveError {
    ArchiveError::Cut("others began to write while it was copied: try again".to_owned())
}
