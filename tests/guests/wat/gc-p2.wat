;; Uses WebAssembly's garbage collection and exceptions while it starts, and traps if they do not work;
;; never answers a request (WASI 0.2).
(component
  (import "wasi:http/types@0.2.0" (instance $types
    (export "incoming-request" (type (sub resource)))
    (export "response-outparam" (type (sub resource)))))
  (alias export $types "incoming-request" (type $request))
  (alias export $types "response-outparam" (type $outparam))
  (core module $module
    (type $pair (struct (field i32) (field i32)))
    (type $pairs (array (mut (ref null $pair))))
    (tag $stop (param i32))
    (func $start (local $all (ref null $pairs)) (local $n i32) (local $sum i32)
      (local.set $all (array.new_default $pairs (i32.const 1000)))
      (loop $fill
        (array.set $pairs (local.get $all) (local.get $n) (struct.new $pair (local.get $n) (i32.const 1)))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br_if $fill (i32.lt_u (local.get $n) (i32.const 1000))))
      (local.set $n (i32.const 0))
      (loop $add
        (local.set $sum (i32.add (local.get $sum)
          (struct.get $pair 1 (array.get $pairs (local.get $all) (local.get $n)))))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br_if $add (i32.lt_u (local.get $n) (i32.const 1000))))
      (block $caught (result i32)
        (try_table (catch $stop $caught) (throw $stop (local.get $sum)))
        unreachable)
      (if (i32.ne (i32.const 1000)) (then unreachable)))
    (start $start)
    (func (export "handle") (param i32 i32)))
  (core instance $main (instantiate $module))
  (func $handle (param "request" (own $request)) (param "response-out" (own $outparam))
    (canon lift (core func $main "handle")))
  (instance $handler (export "handle" (func $handle)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $handler)))
