-- SPDX-License-Identifier: ISC
-- Generic UDP Encapsulation for tshark, which does not know it: draft-ietf-intarea-gue-09, variants 0 and 1.
local gue = Proto("gue", "Generic UDP Encapsulation")
local variant = ProtoField.uint8("gue.variant", "Variant", base.DEC, nil, 0xc0)
gue.fields = { variant }
function gue.dissector(buffer, info, tree)
	local first, length = buffer(0, 1):uint(), 0
	local carried = bit.rshift(first, 4)
	tree:add(gue, buffer(0, 4)):add(variant, buffer(0, 1))
	if first == 0 then
		carried = buffer(1, 1):uint() == 41 and 6 or 4
		length = 4
	end
	Dissector.get(carried == 6 and "ipv6" or "ip"):call(buffer(length):tvb(), info, tree)
end
DissectorTable.get("udp.port"):add(6080, gue)
