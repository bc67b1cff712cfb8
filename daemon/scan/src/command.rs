//! A scanner that is a program: it reads the text from its standard input; its exit code and output are the answer.

use std::path::PathBuf;
use std::process::Stdio;

use disk::ProgramTree;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{ANSWER_MAX_BYTES, Answer, Pieces, ScanError};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    pub program: PathBuf,
    pub arguments: Vec<String>,
    pub clean_codes: Vec<i32>,
    pub infected_codes: Vec<i32>,
    /// What stands before the name of what was found, on the same line of the output, e.g. `FOUND: `.
    pub name_after: String,
}

impl Command {
    pub(crate) async fn scan(&self, mut pieces: Pieces) -> Result<Answer, ScanError> {
        let mut command = tokio::process::Command::new(&self.program);
        command
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        // A scan that takes too long is given up, and its program with all that it has started.
        ProgramTree::prepare(command.as_std_mut());
        let mut child = command.spawn()?;
        let tree = child.id().and_then(|id| ProgramTree::of(id).ok());
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let feed = async {
            let Some(mut stdin) = stdin else { return Ok(()) };
            while let Some(piece) = pieces.next().await? {
                // A program may know enough before the end; its answer is what counts.
                if stdin.write_all(&piece).await.is_err() {
                    break;
                }
            }
            Ok::<(), std::io::Error>(())
        };
        let listen = async {
            let mut output = Vec::new();
            if let Some(mut stdout) = stdout {
                (&mut stdout)
                    .take(ANSWER_MAX_BYTES as u64)
                    .read_to_end(&mut output)
                    .await?;
                // What is over the limit is read away, so that the program does not wait for a reader.
                tokio::io::copy(&mut stdout, &mut tokio::io::sink()).await?;
            }
            Ok::<Vec<u8>, std::io::Error>(output)
        };
        let (fed, output) = tokio::join!(feed, listen);
        fed?;
        let output = output?;
        let code = child.wait().await?.code();
        if let Some(tree) = tree {
            tree.release();
        }
        self.understand(code, &String::from_utf8_lossy(&output))
    }

    fn understand(&self, code: Option<i32>, output: &str) -> Result<Answer, ScanError> {
        let code = code.ok_or_else(|| ScanError::Answer("killed by a signal".to_owned()))?;
        if self.infected_codes.contains(&code) {
            let named = output
                .lines()
                .find_map(|line| line.split_once(self.name_after.as_str()));
            let name = named.map_or("unnamed", |(_, name)| name.trim());
            return Ok(Answer::Infected(name.to_owned()));
        }
        if self.clean_codes.contains(&code) {
            return Ok(Answer::Clean);
        }
        Err(ScanError::Answer(format!("exit code {code}")))
    }
}
