//! Which models the configuration names.

use super::{Read, Reader, invalid};
use ports::model::ModelRef;
use std::collections::BTreeMap;

impl Reader {
    pub(in crate::config) fn tiers(&mut self) -> Read<BTreeMap<String, ModelRef>> {
        let mut tiers = BTreeMap::new();
        for (tier, key) in [("fast", "model_fast"), ("strong", "model_strong")] {
            tiers.extend(self.model(key)?.map(|model| (tier.to_owned(), model)));
        }
        Ok(tiers)
    }

    pub(in crate::config) fn model(&mut self, key: &'static str) -> Read<Option<ModelRef>> {
        let Some((text, origin)) = self.layers.text(key)? else {
            return Ok(self.unset(key));
        };
        match ModelRef::parse(text.trim()) {
            Ok(model) => {
                self.note(key, &model, origin);
                Ok(Some(model))
            }
            Err(_) => {
                let why = format!(
                    "must be provider/model, such as anthropic/claude-sonnet-4-5, not “{text}”"
                );
                Err(invalid(key, origin, why))
            }
        }
    }
}
