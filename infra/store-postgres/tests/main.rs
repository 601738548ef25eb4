//! One binary, and one module in it: its name stands in every test's, by which `cargo xtask test` leaves them out where a
//! machine can't have a PostgreSQL server.

mod postgres;
