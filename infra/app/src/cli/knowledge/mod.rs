//! `countersign knowledge`: collections of documents, a file per thing that is done with them.

mod add;
mod collections;
mod documents;
mod files;
mod search;

use super::{Context, Failure};
use handlers::knowledge::Reader;

#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// All collections that you can read, with the agents that have them
    List,
    /// The documents of a collection, a page at a time
    Show {
        collection: String,
        #[arg(long, default_value_t = 1)]
        page: usize,
    },
    /// Make a collection
    Create {
        name: String,
        /// Only you can read it
        #[arg(long)]
        alone: bool,
    },
    /// Give a collection another name
    Rename { name: String, new: String },
    /// Take a collection away, with everything that is found in it
    Remove { name: String },
    /// Let an agent look things up in a collection
    Attach { name: String, agent: String },
    /// Take a collection away from an agent
    Detach { name: String, agent: String },
    /// Find passages
    Search(search::Arguments),
    /// Read files, or all files below directories, and wait until they can be found
    Add(add::Arguments),
    /// All documents, with what became of them
    Documents {
        /// Only of this collection
        #[arg(long, value_name = "NAME")]
        collection: Option<String>,
    },
    /// Take documents out of lists and searches
    Forget {
        /// Their names or ids
        #[arg(required = true, value_name = "DOCUMENT")]
        documents: Vec<String>,
        #[arg(long, value_name = "NAME")]
        collection: Option<String>,
    },
    /// Make the index again from the documents
    Reindex {
        #[arg(long, value_name = "NAME")]
        collection: Option<String>,
    },
    /// Compare records, originals, passages and index
    Verify {
        #[arg(long, value_name = "NAME")]
        collection: Option<String>,
    },
}

pub async fn run(context: Context, arguments: Arguments) -> Result<u8, Failure> {
    let (local, output) = context.open().await?;
    let reader = Reader {
        member: &local.owner,
        alone: true,
    };
    let at = (&local.home, reader, output);
    match arguments.command {
        Command::List => collections::list(at).await,
        Command::Show { collection, page } => collections::show(at, &collection, page).await,
        Command::Create { name, alone } => collections::create(at, &name, alone).await,
        Command::Rename { name, new } => collections::rename(at, &name, &new).await,
        Command::Remove { name } => collections::remove(at, &name).await,
        Command::Attach { name, agent } => collections::attach(at, &name, (&agent, true)).await,
        Command::Detach { name, agent } => collections::attach(at, &name, (&agent, false)).await,
        Command::Search(arguments) => search::run(&local, at, &arguments).await,
        Command::Add(arguments) => return add::run(&local, output, arguments).await,
        Command::Documents { collection } => {
            return documents::list(&local, output, collection.as_deref()).await;
        }
        Command::Forget {
            documents,
            collection,
        } => {
            let name = collection.as_deref();
            return documents::remove(&local, output, &documents, name).await;
        }
        Command::Reindex { collection } => {
            return documents::reindex(&local, output, collection.as_deref()).await;
        }
        Command::Verify { collection } => {
            return documents::verify(&local, output, collection.as_deref()).await;
        }
    }?;
    Ok(0)
}
