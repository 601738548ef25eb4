//! A schema of its own for one test, on a server that is there for tests. It goes with the value.

use crate::address::Address;
use ports::store::StoreError;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

pub struct Scratch {
    server: String,
    name: String,
    url: String,
}

impl Scratch {
    /// Makes a schema on the server of that URL.
    ///
    /// # Errors
    /// When nothing answers there, or the user may not make schemas.
    pub async fn make(server: &str) -> Result<Self, StoreError> {
        let name = format!("scratch_{}", uuid::Uuid::new_v4().simple());
        execute(server, format!("CREATE SCHEMA {name}")).await?;
        let joint = if server.contains('?') { '&' } else { '?' };
        Ok(Self {
            server: server.to_owned(),
            url: format!("{server}{joint}options[search_path]={name}"),
            name,
        })
    }

    /// Names the schema as well as the server.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The schema's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Executes SQL in the schema, and answers how many rows it changed.
    ///
    /// # Errors
    /// What the server says.
    pub async fn execute(&self, sql: &str) -> Result<u64, StoreError> {
        execute(&self.url, sql.to_owned()).await
    }

    /// The first column of each row, as text; nothing for null.
    ///
    /// # Errors
    /// What the server says.
    pub async fn ask(&self, sql: &str) -> Result<Vec<String>, StoreError> {
        let address = Address::parse(&self.url)?;
        let mut connection = address.connect().await?;
        let sql = format!("SELECT coalesce(first::text, '') FROM ({sql}) AS asked (first)");
        let answer = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_all(&mut connection)
            .await;
        // At the end of a value, the connection would only be dropped: the server says so in its log.
        let _ = connection.close().await;
        answer.map_err(|e| crate::error::Failure::from(e).explain(&address))
    }
}

async fn execute(url: &str, sql: String) -> Result<u64, StoreError> {
    let address = Address::parse(url)?;
    let mut connection: PgConnection = address.connect().await?;
    let done = sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await;
    let _ = connection.close().await;
    let done = done.map_err(|e| crate::error::Failure::from(e).explain(&address))?;
    Ok(done.rows_affected())
}

impl Drop for Scratch {
    /// On a thread of its own, because the test's own runtime may be gone by now.
    fn drop(&mut self) {
        let (server, sql) = (
            self.server.clone(),
            format!("DROP SCHEMA {} CASCADE", self.name),
        );
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            match runtime {
                Ok(runtime) => runtime
                    .block_on(execute(&server, sql))
                    .map_err(|e| e.to_string()),
                Err(error) => Err(error.to_string()),
            }
        });
        if let Ok(Err(error)) = dropping.join() {
            eprintln!("the schema {} is left: {error}", self.name);
        }
    }
}
