//! Stores side by side: whatever is done, the fake and the adapters answer the same. (Each adapter runs the named cases of
//! `testkit::store_contract!` in its own crate.)

mod store;
