//! Cuts a configured component off from functions that it will not call.
//!
//! A module whose imports take or give texts and lists has to exist before they
//! do, because they work on its memory. So a linker of components puts two
//! modules beside it: one with stand-ins, which the module imports, and one that
//! fills their table with the functions themselves. Every call then instantiates
//! three modules, though with most configurations it calls none of those
//! functions. Where the component says so, its module gets a trap for each and
//! stands alone.

use wasmparser::{
    BinaryReader, CanonicalFunction, CanonicalOption, ComponentAlias, ComponentExternalKind, ComponentImport,
    ComponentOuterAliasKind, ComponentTypeRef, Export, ExternalKind, FromReader, Imports, Instance, SectionLimited,
    TypeRef,
};

use crate::sections::{
    CODE, CORE_MODULE, PREAMBLE_BYTES, TRAP, read_length, replace, sections, write_length, write_sized,
};

// Sections of a component.
const CORE_INSTANCE: u8 = 2;
const ALIAS: u8 = 6;
const CANONICAL: u8 = 8;
const IMPORT: u8 = 10;

// Sections of a core module.
const CUSTOM: u8 = 0;
const TYPE: u8 = 1;
const CORE_IMPORT: u8 = 2;
const FUNCTION: u8 = 3;
const TABLE: u8 = 4;
const CORE_EXPORT: u8 = 7;
const ELEMENT: u8 = 9;
const DATA: u8 = 11;

/// A list of nothing.
const EMPTY: &[u8] = &[0];

/// All that stand-ins are made of, and all that fills their table. With anything
/// else, such as a start function or data, they would do something when they are
/// instantiated, and that would be lost.
const OF_STAND_INS: &[u8] = &[CUSTOM, TYPE, FUNCTION, TABLE, CORE_EXPORT, CODE];
const OF_FILLER: &[u8] = &[CUSTOM, TYPE, CORE_IMPORT, ELEMENT];

// The modules, in the order in which they are instantiated.
const STAND_INS: usize = 0;
const MAIN: usize = 1;

/// `component` with a trap instead of each function of the import `interface`.
/// `None` unless it is laid out as described above and its module imports
/// nothing else.
pub(crate) fn sever(component: &[u8], interface: &str) -> Option<Vec<u8>> {
    let mut layout = Layout::default();
    for (id, content) in sections(component)? {
        layout.take(id, content)?;
    }
    let layout = layout.checked(interface)?;
    let (mut modules, mut instances, mut complete) = (0, 0, true);
    let severed = replace(component, |id, content| {
        let new = match id {
            CORE_MODULE => {
                modules += 1;
                match modules - 1 == layout.module(MAIN) {
                    true => standing_alone(content),
                    // Nobody instantiates it any more.
                    false => content.get(..PREAMBLE_BYTES).map(<[u8]>::to_vec),
                }
            }
            CORE_INSTANCE => layout.instances(content, &mut instances),
            ALIAS => layout.aliases(content),
            _ => return None,
        };
        complete &= new.is_some();
        new
    });
    severed.filter(|_| complete)
}

/// How the modules of a component hang together.
#[derive(Default)]
struct Layout<'a> {
    modules: Vec<&'a [u8]>,
    /// Instance, module and number of arguments of what is instantiated.
    instantiated: Vec<(u32, u32, usize)>,
    instances: u32,
    /// Core functions so far, and how many of them, the first ones, are stand-ins.
    functions: u32,
    standing_in: u32,
    canonical: Vec<CanonicalFunction>,
    /// A function that the main module exports.
    exported: &'a str,
}

impl<'a> Layout<'a> {
    /// Goes through one section. `None` for what is not known.
    fn take(&mut self, id: u8, content: &'a [u8]) -> Option<()> {
        match id {
            CORE_MODULE => self.modules.push(content),
            CORE_INSTANCE => {
                for (instance, _) in items::<Instance<'_>>(content)? {
                    if let Instance::Instantiate { module_index, args } = instance {
                        self.instantiated.push((self.instances, module_index, args.len()));
                    }
                    self.instances += 1;
                }
            }
            ALIAS => items::<ComponentAlias<'_>>(content)?.iter().try_for_each(|(alias, _)| self.alias(alias))?,
            CANONICAL => {
                for (function, _) in items(content)? {
                    self.functions += u32::from(!matches!(function, CanonicalFunction::Lift { .. }));
                    self.canonical.push(function);
                }
            }
            IMPORT => {
                let imports = items::<ComponentImport<'_>>(content)?;
                // It would count among the modules.
                let module = imports.iter().any(|(import, _)| matches!(import.ty, ComponentTypeRef::Module(_)));
                return (!module).then_some(());
            }
            _ => {}
        }
        Some(())
    }

    fn alias(&mut self, alias: &ComponentAlias<'_>) -> Option<()> {
        match alias {
            ComponentAlias::CoreInstanceExport { kind, instance_index, .. } => {
                match (self.of(*instance_index)?, kind) {
                    (STAND_INS, ExternalKind::Func) => {
                        let first = self.functions == self.standing_in;
                        self.standing_in = self.standing_in.checked_add(1).filter(|_| first)?;
                        self.functions += 1;
                    }
                    (MAIN, ExternalKind::Func) => self.functions += 1,
                    (STAND_INS, ExternalKind::Table) | (MAIN, ExternalKind::Memory) => {}
                    _ => return None,
                }
            }
            ComponentAlias::InstanceExport { kind: ComponentExternalKind::Module, .. }
            | ComponentAlias::Outer { kind: ComponentOuterAliasKind::CoreModule, .. } => return None,
            ComponentAlias::InstanceExport { .. } | ComponentAlias::Outer { .. } => {}
        }
        Some(())
    }

    /// Which of what is instantiated an instance is.
    fn of(&self, instance: u32) -> Option<usize> {
        self.instantiated.iter().position(|(other, ..)| *other == instance)
    }

    fn module(&self, which: usize) -> u32 {
        self.instantiated[which].1
    }

    /// The same if all is as it has to be.
    fn checked(mut self, interface: &str) -> Option<Self> {
        let [(_, stand_ins, 0), (_, main, 1), (_, filler, _)] = *self.instantiated else { return None };
        let shape = |module: u32| self.modules.get(module as usize).and_then(Shape::of);
        let (stand_ins, main, filler) = (shape(stand_ins)?, shape(main)?, shape(filler)?);
        let imports = main.functions_only && main.imports.iter().all(|from| *from == interface);
        let beside = stand_ins.has_only(OF_STAND_INS) && filler.has_only(OF_FILLER) && self.modules.len() == 3;
        self.exported = main.exports.first()?;
        (imports && beside && self.canonical.iter().all(|function| self.spares_stand_ins(function))).then_some(self)
    }

    /// Whether a function does without the stand-ins: whoever is lifted, or helps
    /// another, is the main module's.
    fn spares_stand_ins(&self, function: &CanonicalFunction) -> bool {
        let spared = |function: &u32| *function >= self.standing_in;
        let (lifted, options) = match function {
            CanonicalFunction::Lift { core_func_index, options, .. } => (Some(core_func_index), options),
            CanonicalFunction::Lower { options, .. } => (None, options),
            _ => return false,
        };
        let helpers = options.iter().all(|option| match option {
            CanonicalOption::Realloc(function) | CanonicalOption::PostReturn(function) => spared(function),
            CanonicalOption::UTF8 | CanonicalOption::Memory(_) => true,
            _ => false,
        });
        helpers && lifted.is_none_or(spared)
    }

    /// The core instances of a section: the main module takes the place of the
    /// stand-ins, and nothing is in any other's.
    fn instances(&self, content: &[u8], before: &mut u32) -> Option<Vec<u8>> {
        const INSTANTIATE: u8 = 0;
        const EXPORTING_NOTHING: &[u8] = &[1, 0];
        let instances = items::<Instance<'_>>(content)?;
        let mut section = Vec::new();
        write_length(&mut section, instances.len())?;
        for _ in instances {
            match self.of(*before) == Some(STAND_INS) {
                true => {
                    section.push(INSTANTIATE);
                    write_length(&mut section, self.module(MAIN) as usize)?;
                    write_length(&mut section, 0)?;
                }
                false => section.extend_from_slice(EXPORTING_NOTHING),
            }
            *before += 1;
        }
        Some(section)
    }

    /// The aliases of a section: what the main module exports is found where that
    /// is now. The stand-ins keep their places in the count of functions; their
    /// table, the only one, keeps none.
    fn aliases(&self, content: &[u8]) -> Option<Vec<u8>> {
        let mut aliases = items::<ComponentAlias<'_>>(content)?;
        let is_table =
            |alias: &_| matches!(alias, ComponentAlias::CoreInstanceExport { kind: ExternalKind::Table, .. });
        aliases.retain(|(alias, _)| !is_table(alias));
        let mut section = Vec::new();
        write_length(&mut section, aliases.len())?;
        for (alias, bytes) in aliases {
            let ComponentAlias::CoreInstanceExport { kind, instance_index, name } = alias else {
                section.extend_from_slice(bytes);
                continue;
            };
            let sort = if kind == ExternalKind::Func { 0 } else { 2 };
            section.extend_from_slice(&[0, sort, 1]);
            write_length(&mut section, self.instantiated[STAND_INS].0 as usize)?;
            let stands_in = self.of(instance_index) == Some(STAND_INS);
            write_sized(&mut section, if stands_in { self.exported } else { name }.as_bytes())?;
        }
        Some(section)
    }
}

/// What a module has to do with others.
#[derive(Default)]
struct Shape<'a> {
    /// Where each thing that it imports is from.
    imports: Vec<&'a str>,
    /// Whether all of that is functions.
    functions_only: bool,
    /// Functions that it exports.
    exports: Vec<&'a str>,
    /// The ids of its sections that have something in them.
    sections: Vec<u8>,
}

impl<'a> Shape<'a> {
    fn of(module: &&'a [u8]) -> Option<Self> {
        let mut shape = Self { functions_only: true, ..Self::default() };
        for (id, content) in sections(module)? {
            // A snapshot has a list of data, even where there is none.
            if (id, content) != (DATA, EMPTY) {
                shape.sections.push(id);
            }
            match id {
                CORE_IMPORT => {
                    for import in reader::<Imports<'_>>(content)?.into_imports() {
                        let import = import.ok()?;
                        shape.imports.push(import.module);
                        shape.functions_only &= matches!(import.ty, TypeRef::Func(_));
                    }
                }
                CORE_EXPORT => {
                    let exports = items::<Export<'_>>(content)?.into_iter();
                    shape.exports.extend(exports.filter_map(|(export, _)| match export.kind {
                        ExternalKind::Func => Some(export.name),
                        _ => None,
                    }));
                }
                _ => {}
            }
        }
        Some(shape)
    }

    fn has_only(&self, sections: &[u8]) -> bool {
        self.sections.iter().all(|id| sections.contains(id))
    }
}

/// The module with a trap instead of each function that it imports. Imported
/// functions are counted before its own, so that all keep their numbers.
fn standing_alone(module: &[u8]) -> Option<Vec<u8>> {
    let mut types = Vec::new();
    let kept = sections(module)?.into_iter().filter(|(id, content)| {
        if *id == CORE_IMPORT {
            let imports = reader::<Imports<'_>>(content).into_iter().flat_map(SectionLimited::into_imports);
            types.extend(imports.filter_map(|import| match import.ok()?.ty {
                TypeRef::Func(index) => Some(index),
                _ => None,
            }));
        }
        *id != CORE_IMPORT
    });
    let kept: Vec<_> = kept.collect();
    let mut alone = module.get(..PREAMBLE_BYTES)?.to_vec();
    for (id, content) in kept {
        alone.push(id);
        match id {
            FUNCTION => {
                let mut functions = Vec::new();
                for index in &types {
                    write_length(&mut functions, *index as usize)?;
                }
                write_sized(&mut alone, &with_first(content, types.len(), &functions)?)?;
            }
            CODE => {
                let mut traps = Vec::new();
                for _ in &types {
                    write_sized(&mut traps, TRAP)?;
                }
                write_sized(&mut alone, &with_first(content, types.len(), &traps)?)?;
            }
            _ => write_sized(&mut alone, content)?,
        }
    }
    Some(alone)
}

/// A list with `count` more items in front.
fn with_first(list: &[u8], count: usize, items: &[u8]) -> Option<Vec<u8>> {
    let (length, rest) = read_length(list)?;
    let mut longer = Vec::with_capacity(list.len() + items.len() + 4);
    write_length(&mut longer, length.checked_add(count)?)?;
    longer.extend_from_slice(items);
    longer.extend_from_slice(rest);
    Some(longer)
}

fn reader<'a, T>(content: &'a [u8]) -> Option<SectionLimited<'a, T>> {
    SectionLimited::new(BinaryReader::new(content, 0)).ok()
}

/// The items of a section, and each as it is written there.
fn items<'a, T: FromReader<'a>>(content: &'a [u8]) -> Option<Vec<(T, &'a [u8])>> {
    let items = reader(content)?.into_iter_with_offsets().collect::<wasmparser::Result<Vec<(usize, T)>>>().ok()?;
    let ends: Vec<_> = items.iter().skip(1).map(|(start, _)| *start).chain([content.len()]).collect();
    items.into_iter().zip(ends).map(|((start, item), end)| Some((item, content.get(start..end)?))).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use wasmtime::component::{Component, Linker};
    use wasmtime::{Engine, Store};

    use super::*;

    /// Laid out as linkers do. `after` are more fields behind it.
    fn component(after: &str) -> Vec<u8> {
        with(after, "", "")
    }

    /// The same with more in the stand-ins and in the filler.
    fn with(after: &str, stand_ins: &str, filler: &str) -> Vec<u8> {
        let text = format!(
            r#"(component
            (import "vak:host/session" (instance $session (export "count" (func (param "of" string) (result u32)))))
            (core module $main
                (import "vak:host/session" "count" (func $count (param i32 i32) (result i32)))
                (memory (export "memory") 1)
                (func (export "seven") (result i32) i32.const 7)
                (func (export "ask") (result i32) (call $count (i32.const 0) (i32.const 0))))
            (core module $stand-ins
                (type $type (func (param i32 i32) (result i32)))
                (table (export "$imports") 1 1 funcref)
                (func (export "0") (type $type)
                    (call_indirect (type $type) (local.get 0) (local.get 1) (i32.const 0)))
                {stand_ins})
            (core module $filler
                (import "" "0" (func $count (param i32 i32) (result i32)))
                (import "" "$imports" (table 1 1 funcref))
                (elem (i32.const 0) func $count)
                {filler})
            (core instance $stand-ins (instantiate $stand-ins))
            (alias core export $stand-ins "0" (core func $stand-in))
            (core instance $imports (export "count" (func $stand-in)))
            (core instance $main (instantiate $main (with "vak:host/session" (instance $imports))))
            (alias core export $main "memory" (core memory $memory))
            (alias core export $stand-ins "$imports" (core table $table))
            (core func $count (canon lower (func $session "count") (memory $memory)))
            (core instance $functions (export "$imports" (table $table)) (export "0" (func $count)))
            (core instance $filler (instantiate $filler (with "" (instance $functions))))
            (func (export "seven") (result u32) (canon lift (core func $main "seven")))
            (func (export "ask") (result u32) (canon lift (core func $main "ask")))
            {after})"#
        );
        wat::parse_str(text).unwrap()
    }

    /// What both exports give, where the import gives 3; nothing for a trap.
    fn answers(component: &[u8]) -> [Option<u32>; 2] {
        let engine = Engine::default();
        let component = Component::from_binary(&engine, component).unwrap();
        let mut linker = Linker::new(&engine);
        let mut session = linker.instance("vak:host/session").unwrap();
        session.func_wrap("count", |_, (_,): (String,)| Ok((3_u32,))).unwrap();
        let mut answer = |name| {
            let mut store = Store::new(&engine, ());
            let instance = linker.instantiate(&mut store, &component).unwrap();
            let function = instance.get_typed_func::<(), (u32,)>(&mut store, name).unwrap();
            function.call(&mut store, ()).ok().map(|(answer,)| answer)
        };
        ["seven", "ask"].map(&mut answer)
    }

    #[test]
    fn traps_instead_of_asking() {
        let whole = component("");
        assert_eq!(answers(&whole), [Some(7), Some(3)]);
        let severed = sever(&whole, "vak:host/session").unwrap();
        assert_eq!(answers(&severed), [Some(7), None]);
        let modules = sections(&severed).unwrap().into_iter().filter(|(id, _)| *id == CORE_MODULE);
        let instantiated: Vec<_> = modules.map(|(_, module)| module.len() > PREAMBLE_BYTES).collect();
        assert_eq!(instantiated, [true, false, false]);
        // Nothing is left to cut off.
        assert!(sever(&severed, "vak:host/session").is_none());
    }

    #[test]
    fn leaves_alone_what_is_laid_out_otherwise() {
        let cases = [
            // A stand-in that is called from outside.
            r#"(func (export "stand-in") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $stand-in)))"#,
            // A fourth module, and a second instance.
            "(core module)",
            "(core module $more) (core instance (instantiate $more))",
            "(core instance (instantiate $stand-ins))",
            r#"(import "module" (core module))"#,
            r#"(alias core export $stand-ins "0" (core func))"#,
        ];
        for after in cases {
            assert!(sever(&component(after), "vak:host/session").is_none(), "{after}");
        }
        assert!(sever(&component(""), "vak:host/log").is_none());
        // Modules beside it that do something by themselves.
        let start = r#"(func $start) (start $start)"#;
        for (stand_ins, filler) in [
            (start, ""),
            ("", start),
            (r#"(memory 1) (data (i32.const 0) "a")"#, ""),
            ("(global (mut i32) (i32.const 0))", ""),
            ("", r#"(memory 1) (data (i32.const 0) "a")"#),
            ("", r#"(func (export "more"))"#),
        ] {
            assert!(sever(&with("", stand_ins, filler), "vak:host/session").is_none(), "{stand_ins} {filler}");
        }
        for bytes in
            [&b""[..], b"\0asm", b"\0asm\x0d\0\x01\0", b"\0asm\x0d\0\x01\0\x01\xff", b"\0asm\x0d\0\x01\0\x01\x03abc"]
        {
            assert!(sever(bytes, "vak:host/session").is_none());
        }
    }
}
