//! Takes out of a configured component what only configuring it needed.
//!
//! A configuration is read once, at installation, and its reader is most of the
//! code of a component that has one: compiled, and read, authenticated and
//! mapped at every start. Once the configuration is baked nobody calls
//! `configure` again, so the functions that nothing else can reach become a
//! trap each. Should that ever hit one too many, the call is a deny.

use std::collections::HashSet;

use wasmparser::{
    ElementItems, ExternalKind, FuncType, FunctionBody, Operator, OperatorsReader, Parser, Payload, Result, TypeRef,
};

use crate::bake::CONFIGURE;
use crate::sections::{CODE, CORE_MODULE, TRAP, replace, write_length, write_sized};

/// The component without the code that only `configure` reaches.
pub(crate) fn prune(component: Vec<u8>) -> Vec<u8> {
    let module = |module: &[u8]| {
        let code = Module::read(module).ok()?.code()?;
        replace(module, |id, _| (id == CODE).then(|| code.clone()))
    };
    replace(&component, |id, content| if id == CORE_MODULE { module(content) } else { None }).unwrap_or(component)
}

/// What decides which functions of a core module can be called.
#[derive(Default)]
struct Module<'a> {
    types: Vec<FuncType>,
    /// The type of each function; imported ones come first.
    functions: Vec<u32>,
    imported: usize,
    bodies: Vec<FunctionBody<'a>>,
    /// Functions that can be called from outside, or whose reference is taken.
    roots: Vec<u32>,
    /// Functions that can be in a table.
    tabled: Vec<u32>,
    /// A table is shared with the outside, which may call what is in it.
    open: bool,
    /// The function behind `configure`.
    configure: Option<u32>,
}

impl<'a> Module<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut module = Self::default();
        for payload in Parser::new(0).parse_all(bytes) {
            module.take(payload?)?;
        }
        Ok(module)
    }

    fn take(&mut self, payload: Payload<'a>) -> Result<()> {
        match payload {
            Payload::TypeSection(types) => self.types = types.into_iter_err_on_gc_types().collect::<Result<_>>()?,
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    match import?.ty {
                        TypeRef::Func(index) | TypeRef::FuncExact(index) => self.functions.push(index),
                        TypeRef::Table(_) => self.open = true,
                        _ => {}
                    }
                }
                self.imported = self.functions.len();
            }
            Payload::FunctionSection(functions) => {
                self.functions.extend(functions.into_iter().collect::<Result<Vec<_>>>()?);
            }
            Payload::TableSection(tables) => {
                for table in tables {
                    if let wasmparser::TableInit::Expr(expression) = table?.init {
                        references(expression.get_operators_reader(), &mut self.tabled)?;
                    }
                }
            }
            Payload::GlobalSection(globals) => {
                for global in globals {
                    references(global?.init_expr.get_operators_reader(), &mut self.roots)?;
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export?;
                    match export.kind {
                        ExternalKind::Func if export.name.strip_suffix("#configure") == Some(CONFIGURE) => {
                            self.configure = Some(export.index);
                        }
                        ExternalKind::Func | ExternalKind::FuncExact => self.roots.push(export.index),
                        ExternalKind::Table => self.open = true,
                        _ => {}
                    }
                }
            }
            Payload::StartSection { func, .. } => self.roots.push(func),
            Payload::ElementSection(elements) => {
                for element in elements {
                    match element?.items {
                        ElementItems::Functions(functions) => {
                            self.tabled.extend(functions.into_iter().collect::<Result<Vec<_>>>()?);
                        }
                        ElementItems::Expressions(_, expressions) => {
                            for expression in expressions {
                                references(expression?.get_operators_reader(), &mut self.tabled)?;
                            }
                        }
                    }
                }
            }
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            _ => {}
        }
        Ok(())
    }

    /// The code section without what only `configure` reaches; `None` where
    /// that is nothing.
    fn code(&self) -> Option<Vec<u8>> {
        self.configure?;
        let reached = self.reached().ok()?;
        let mut code = Vec::new();
        write_length(&mut code, self.bodies.len())?;
        for (body, reached) in self.bodies.iter().zip(&reached[self.imported..]) {
            write_sized(&mut code, if *reached { body.as_bytes() } else { TRAP })?;
        }
        Some(code)
    }

    /// Whether each function can be called, other than by `configure`: from
    /// outside, by another that can, or through a table by one that calls
    /// functions of its type.
    fn reached(&self) -> Result<Vec<bool>> {
        let mut reached = vec![false; self.functions.len()];
        let mut indirect: HashSet<&FuncType> = HashSet::new();
        let mut next = self.roots.clone();
        if self.open {
            next.extend(&self.tabled);
        }
        while let Some(function) = next.pop() {
            let function = function as usize;
            if std::mem::replace(&mut reached[function], true) || function < self.imported {
                continue;
            }
            for operator in self.bodies[function - self.imported].get_operators_reader()? {
                match operator? {
                    Operator::Call { function_index }
                    | Operator::ReturnCall { function_index }
                    | Operator::RefFunc { function_index } => next.push(function_index),
                    Operator::CallIndirect { type_index, .. }
                    | Operator::ReturnCallIndirect { type_index, .. }
                    | Operator::CallRef { type_index }
                    | Operator::ReturnCallRef { type_index } => {
                        let wanted = &self.types[type_index as usize];
                        if indirect.insert(wanted) {
                            let type_of = |function: &u32| &self.types[self.functions[*function as usize] as usize];
                            next.extend(self.tabled.iter().filter(|function| type_of(function) == wanted));
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(reached)
    }
}

/// Functions whose references are in a constant expression.
fn references(operators: OperatorsReader<'_>, functions: &mut Vec<u32>) -> Result<()> {
    for operator in operators {
        if let Operator::RefFunc { function_index } = operator? {
            functions.push(function_index);
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The functions of a module that keep their bodies.
    fn kept(fields: &str) -> Vec<u32> {
        let configure = format!(r#"(export "{CONFIGURE}#configure" (func $configure))"#);
        let text = format!("(component (core module (type $none (func)) {fields} {configure}))");
        let component = wat::parse_str(text).unwrap();
        let pruned = prune(component.clone());
        wasmparser::Validator::new_with_features(wasmparser::WasmFeatures::all()).validate_all(&pruned).unwrap();
        let bodies = |bytes: &[u8]| {
            let payloads = Parser::new(0).parse_all(bytes).map(Result::unwrap);
            let bodies = payloads.filter_map(|payload| match payload {
                Payload::CodeSectionEntry(body) => Some(body.as_bytes().to_vec()),
                _ => None,
            });
            bodies.collect::<Vec<_>>()
        };
        let same = bodies(&component).into_iter().zip(bodies(&pruned)).map(|(before, after)| before == after);
        (0..).zip(same).filter(|(_, same)| *same).map(|(at, _)| at).collect()
    }

    #[test]
    fn keeps_what_can_be_called() {
        let functions = r#"
            (func $configure call $reader)
            (func $reader)
            (func $run (export "run") call $used)
            (func $used)
            (func $other (param i32) drop)"#;
        let functions = functions.replace("drop", "(drop (local.get 0))");
        let cases = [
            ("", vec![2, 3]),
            // In a table, and nobody who is left calls its type.
            ("(table 2 funcref) (elem (i32.const 0) $reader $other)", vec![2, 3]),
            (r#"(table (export "t") 2 funcref) (elem (i32.const 0) $reader $other)"#, vec![1, 2, 3, 4]),
            (
                "(table 2 funcref) (elem (i32.const 0) $reader $other)
              (func (export \"r\") (call_indirect (type $none) (i32.const 0)))",
                vec![1, 2, 3, 5],
            ),
            (
                "(table 2 funcref) (elem (i32.const 0) funcref (ref.func $reader) (ref.func $other))
              (func (export \"r\") (call_indirect (param i32) (i32.const 0) (i32.const 1)))",
                vec![2, 3, 4, 5],
            ),
            ("(global funcref (ref.func $reader))", vec![1, 2, 3]),
            ("(start $reader)", vec![1, 2, 3]),
            ("(func (export \"r\") call $configure)", vec![0, 1, 2, 3, 5]),
        ];
        for (fields, expected) in cases {
            assert_eq!(kept(&format!("{functions} {fields}")), expected, "{fields}");
        }
    }

    #[test]
    fn leaves_alone_what_it_does_not_know() {
        for bytes in [&b""[..], b"\0asm", b"\0asm\x0d\0\x01\0\x01\xff", b"\0asm\x0d\0\x01\0\x01\x03abc"] {
            assert_eq!(prune(bytes.to_vec()), bytes);
        }
    }
}
