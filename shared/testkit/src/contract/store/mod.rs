//! What every store promises, as named cases. An adapter runs all of them, each as a test of its own, with one line:
//!
//! ```ignore
//! testkit::store_contract!(make);
//! ```
//!
//! where `make` is an `async fn() -> Result<(Arc<dyn Store>, K), testkit::contract::Broken>` that answers an empty store and
//! whatever has to live as long as it (a temporary directory). A promise of the port without a case here is no promise.

pub mod build;
pub mod commits;
pub mod counters;
pub mod jobs;
pub mod journals;
pub mod leases;
pub mod queries;
pub mod records;

#[cfg(test)]
mod tests;

/// The cases as tests. A new case has its name here (a test holds that).
#[macro_export]
macro_rules! store_contract {
    ($make:path) => {
        $crate::store_contract! { @ $make:
            records {
                a_record_counts_its_versions,
                a_put_meets_another_version,
                a_check_holds_or_conflicts,
                a_delete_names_the_version,
                a_record_made_again_begins_at_one,
                teams_do_not_see_each_other,
                odd_texts_come_back_unchanged,
                large_documents_are_kept,
            }
            commits {
                a_batch_is_all_or_nothing,
                the_same_id_is_applied_once,
                a_conflict_leaves_the_id_free,
                commit_ids_are_forgotten_by_age,
                limits_are_refused_before_anything,
                the_heaviest_batches_fit,
                what_is_named_twice_is_refused,
                one_of_many_writers_wins,
            }
            journals {
                entries_are_read_in_order,
                an_append_names_the_head,
                several_journals_in_one_batch,
                one_of_many_appenders_wins,
            }
            queries {
                an_index_lists_one_partition_in_order,
                an_index_follows_its_documents,
                ranges_are_half_open,
                pages_go_through_equal_sort_values,
                documents_without_the_fields_are_not_indexed,
                texts_compare_as_bytes,
                queries_by_key,
                queries_that_make_no_sense_are_refused,
            }
            jobs {
                a_job_is_claimed_when_it_is_due,
                lanes_are_kept_apart,
                urgent_jobs_come_first,
                a_serial_key_is_done_in_order,
                order_within_a_batch_counts,
                a_postponed_head_blocks_its_key,
                setting_aside_frees_the_key,
                next_tells_when_to_look_again,
                a_job_is_enqueued_once,
                the_backlog_is_counted_by_lane,
                a_flood_of_one_key_blocks_nobody,
                long_queues_take_turns,
            }
            leases {
                a_lost_lease_is_claimed_again,
                a_postponed_job_was_not_lost,
                an_uncounted_attempt_is_taken_back,
                a_fenced_finish_undoes_the_batch,
                a_commit_holds_its_lease,
                only_a_leased_job_is_given_back,
                a_renewal_keeps_the_lease,
                a_signal_reaches_the_lease,
                who_comes_while_the_head_goes_is_next,
                no_job_goes_to_two_claimers,
            }
            counters {
                a_counter_adds_up,
                a_ceiling_is_not_passed,
                a_sum_beyond_all_numbers_conflicts,
                many_adders_stay_below_the_ceiling,
            }
        }
    };
    (@ $make:path: $($module:ident { $($case:ident),* $(,)? })*) => {$($(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() -> $crate::contract::Outcome {
            let (store, _kept) = $make().await?;
            $crate::contract::store::$module::$case(store).await
        }
    )*)*};
}
