//! Writes a tree as TOML, each table under a header of its own, what stands in lists inline.

use std::fmt::{self, Display, Formatter};

use super::{Table, Value};

impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        section(f, "", self)
    }
}

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => f.write_str(&quoted(text)),
            Value::Bare(text) => f.write_str(text),
            Value::List(list) => {
                let items: Vec<String> = list.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", items.join(", "))
            }
            Value::Table(table) => {
                let items: Vec<String> =
                    table.entries.iter().map(|(name, value)| format!("{} = {value}", key(name))).collect();
                write!(f, "{{{}}}", items.join(", "))
            }
        }
    }
}

fn section(f: &mut Formatter<'_>, header: &str, table: &Table) -> fmt::Result {
    for (name, value) in &table.entries {
        if value.table().is_none() {
            writeln!(f, "{} = {value}", key(name))?;
        }
    }
    for (name, value) in &table.entries {
        if let Some(inner) = value.table() {
            let path = if header.is_empty() { key(name) } else { format!("{header}.{}", key(name)) };
            writeln!(f, "\n[{path}]")?;
            section(f, &path, inner)?;
        }
    }
    Ok(())
}

fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare {
        name.to_string()
    } else {
        quoted(name)
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(character);
            }
            control if control.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(control))),
            _ => quoted.push(character),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_the_same() {
        for text in [
            include_str!("../../../../stt/configs/stt.toml"),
            include_str!("../../../../tts/configs/tts.toml"),
            "",
            "a = \"\\u0000\\n\\u007f\\\"\\\\é\" \n\"b c\" = '\\'\n\"\" = \"\"\n",
            "a = [1, [2, 'x'], { b = { c = 1, \"d.e\" = [] } }]\n[f]\n[g.h]\ni.j = 2026-01-02 03:04:05\n",
            "[[a]]\nb = 1\n[[a.c]]\nd = 1\n[[a]]\n[\"x.y\".z]\nw = inf\n",
        ] {
            let table = Table::parse(text).unwrap();
            let written = table.to_string();
            // Tables come after what is no table, which changes the order and nothing else.
            let again = Table::parse(&written).unwrap_or_else(|message| panic!("{message}: {written}"));
            assert_eq!(sorted(&again), sorted(&table), "{written}");
        }
    }

    fn sorted(table: &Table) -> Table {
        let mut entries: Vec<(String, Value)> = table
            .entries
            .iter()
            .map(|(name, value)| {
                (name.clone(), value.table().map_or_else(|| value.clone(), |t| Value::Table(sorted(t))))
            })
            .collect();
        entries.sort_by(|one, other| one.0.cmp(&other.0));
        Table { entries }
    }
}
