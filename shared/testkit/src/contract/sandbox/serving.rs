//! A program that is talked to: it answers, has what it was granted and no more, and ends with whoever holds it.

use super::{Outcome, Place, is_running, long_sleep, text, until};
use crate::contract::Broken;
use ports::sandbox::{Cancel, Ended, ExecResult, Grants, Limits, Serve, Serving};
use secrecy::SecretString;
use std::{fs, net::TcpListener};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::unix::pipe,
};

impl Place<'_> {
    pub async fn serves(&self) -> Outcome {
        self.talks_until_it_is_hung_up_on().await?;
        self.has_what_it_was_granted().await?;
        self.has_a_network_if_granted().await?;
        self.serves_no_longer_than_it_is_held().await
    }

    async fn serve(&self, command: &str, grants: Grants) -> Result<Serving, Broken> {
        let exec = self.exec(command, Limits::default());
        Ok(self
            .sandbox
            .serve(Serve { exec, grants }, Cancel::default())
            .await?)
    }

    /// What it says without being told anything, and how it ended.
    async fn says(&self, command: &str, grants: Grants) -> Result<(String, ExecResult), Broken> {
        let Serving {
            stdin,
            stdout,
            ended,
        } = self.serve(command, grants).await?;
        drop(stdin);
        let mut said = String::new();
        let mut stdout = pipe::Receiver::from_owned_fd(stdout)?;
        let (read, ended) = tokio::join!(stdout.read_to_string(&mut said), ended);
        read?;
        Ok((said, ended?))
    }

    async fn talks_until_it_is_hung_up_on(&self) -> Outcome {
        let command = "echo ready >&2; while read word; do echo \"heard $word\"; done; exit 3";
        let Serving {
            stdin,
            stdout,
            ended,
        } = self.serve(command, Grants::default()).await?;
        let mut stdin = pipe::Sender::from_owned_fd(stdin)?;
        let mut stdout = pipe::Receiver::from_owned_fd(stdout)?;
        for word in ["one", "two"] {
            stdin.write_all(format!("{word}\n").as_bytes()).await?;
            let expected = format!("heard {word}\n");
            let mut heard = vec![0; expected.len()];
            stdout.read_exact(&mut heard).await?;
            assert_eq!(heard, expected.as_bytes());
        }
        drop(stdin);
        let result = ended.await?;
        assert_eq!(
            (result.ended, text(&result).as_str()),
            (Ended::Exit(3), "ready\n")
        );
        Ok(())
    }

    async fn has_what_it_was_granted(&self) -> Outcome {
        // Where everybody can walk to: what is granted is not moved into reach, as a workspace is.
        let name = format!("countersign-{}", long_sleep().replace(' ', "-"));
        let beside = std::env::temp_dir().join(name);
        fs::create_dir_all(&beside)?;
        fs::write(beside.join("program"), "#!/bin/sh\necho programs run\n")?;
        let look = format!(
            "echo $TOKEN; sh {0}/program; echo x > {0}/new; test -e {0}/new && echo written",
            beside.display()
        );
        let (nothing, _) = self.says(&look, Grants::default()).await?;
        assert_eq!(nothing, "\n");
        let granted = Grants {
            readable: vec![beside.clone()],
            environment: vec![("TOKEN".to_owned(), SecretString::from("t0ken".to_owned()))],
            network: false,
        };
        let (said, _) = self.says(&look, granted).await?;
        fs::remove_dir_all(&beside)?;
        assert_eq!(said, "t0ken\nprograms run\n");
        Ok(())
    }

    async fn has_a_network_if_granted(&self) -> Outcome {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let connect = format!("bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}' && echo connected");
        for network in [false, true] {
            let grants = Grants {
                network,
                ..Grants::default()
            };
            let (said, result) = self.says(&connect, grants).await?;
            let expected = if network { "connected\n" } else { "" };
            assert_eq!(said, expected, "{}", text(&result));
        }
        Ok(())
    }

    async fn serves_no_longer_than_it_is_held(&self) -> Outcome {
        let sleep = long_sleep();
        let command = format!("setsid {sleep} & cat; sleep 1000");
        let serving = self.serve(&command, Grants::default()).await?;
        until(|| is_running(&sleep)).await;
        drop(serving);
        until(|| !is_running(&sleep)).await;
        let exec = self.exec(&command, Limits::default());
        let cancel = Cancel::default();
        let grants = Grants::default();
        let serve = self.sandbox.serve(Serve { exec, grants }, cancel.clone());
        let serving = serve.await?;
        until(|| is_running(&sleep)).await;
        cancel.raise();
        assert_eq!(serving.ended.await?.ended, Ended::Cancelled);
        assert!(!is_running(&sleep), "it has outlived the cancel");
        Ok(())
    }
}
