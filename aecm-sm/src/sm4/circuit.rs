//! The S-box of SM4 as a circuit: no table, the same operations for every value.
//!
//! The inversion is taken apart into GF(2⁴) and GF(2²) (148 gates, 36 of them "and"); the changes of basis on both
//! sides hold the affine map A of the S-box. Its constant c is left out, being the same for every byte: with it,
//! S(x) = circuit(x + A⁻¹c) + c, and both additions go into the round keys.

use core::ops::{BitAnd, BitXor};

/// A⁻¹c, in every byte.
pub(super) const BEFORE: u32 = 0x7575_7575;

/// c, in every byte.
pub(super) const AFTER: u32 = 0xd3d3_d3d3;

/// Eight planes, bit 0 first: every bit position of the words is one byte of its own.
#[inline(always)]
pub(super) fn circuit<T>(planes: [T; 8]) -> [T; 8]
where
    T: Copy + BitAnd<Output = T> + BitXor<Output = T>,
{
    let [x0, x1, x2, x3, x4, x5, x6, x7] = planes;
    let t0 = x0 ^ x6;
    let t1 = x1 ^ x5;
    let t2 = x4 ^ t0;
    let t3 = x3 ^ t1;
    let t4 = x2 ^ x7;
    let t5 = x5 ^ t4;
    let t6 = x2 ^ x4;
    let t7 = x2 ^ t2;
    let t8 = x1 ^ x7;
    let t9 = x3 ^ x6;
    let t10 = x3 ^ x4;
    let t11 = x1 ^ t0;
    let t12 = x0 ^ t6;
    let t13 = x2 ^ t1;
    let t14 = x4 ^ t1;
    let t15 = x6 ^ t14;
    let t16 = t2 ^ t3;
    let t17 = t3 ^ t7;
    let t18 = t3 ^ t12;
    let t19 = x6 ^ t3;
    let t20 = x7 ^ t9;
    let t21 = t5 ^ t9;
    let t22 = x5 ^ t20;
    let t23 = x1 ^ t12;
    let t24 = x6 ^ t6;
    let t25 = t2 ^ t8;
    let t26 = x1 ^ t7;
    let t27 = t0 ^ t13;
    let t28 = x2 ^ t11;
    let t29 = x5 ^ t2;
    let t30 = x7 ^ t16;
    let t31 = t5 ^ t10;
    let t32 = t17 & t27;
    let t33 = t30 & t28;
    let t34 = t4 & x5;
    let t35 = x6 & t14;
    let t36 = t23 & t11;
    let t37 = t26 & t29;
    let t38 = t18 & t7;
    let t39 = t21 & x2;
    let t40 = t25 & t2;
    let t41 = x0 ^ x2;
    let t42 = x6 ^ x7;
    let t43 = t38 ^ x1;
    let t44 = t39 ^ x4;
    let t45 = t36 ^ x5;
    let t46 = t34 ^ t42;
    let t47 = t33 ^ x3;
    let t48 = t41 ^ t43;
    let t49 = t32 ^ t41;
    let t50 = t45 ^ t49;
    let t51 = t44 ^ t45;
    let t52 = t35 ^ t46;
    let t53 = t40 ^ t47;
    let t54 = t37 ^ t40;
    let t55 = t35 ^ t48;
    let t56 = t37 ^ t47;
    let t57 = t44 ^ t49;
    let t58 = t44 ^ t46;
    let t59 = t32 ^ t43;
    let t60 = t46 ^ t53;
    let t61 = t58 ^ t59;
    let t62 = t48 ^ t60;
    let t63 = t50 ^ t52;
    let t64 = t51 ^ t55;
    let t65 = t54 ^ t55;
    let t66 = t53 ^ t57;
    let t67 = t51 ^ t54;
    let t68 = t52 ^ t56;
    let t69 = t50 ^ t56;
    let t70 = t67 & t69;
    let t71 = t64 & t63;
    let t72 = t65 & t68;
    let t73 = t71 ^ t69;
    let t74 = t64 ^ t73;
    let t75 = t70 ^ t63;
    let t76 = t72 ^ t67;
    let t77 = t75 ^ t76;
    let t78 = t74 ^ t75;
    let t79 = t74 ^ t76;
    let t80 = t67 & t79;
    let t81 = t64 & t77;
    let t82 = t65 & t78;
    let t83 = t66 & t79;
    let t84 = t61 & t77;
    let t85 = t62 & t78;
    let t86 = t80 ^ t82;
    let t87 = t83 ^ t85;
    let t88 = t81 ^ t82;
    let t89 = t80 ^ t81;
    let t90 = t83 ^ t84;
    let t91 = t84 ^ t85;
    let t92 = t88 ^ t91;
    let t93 = t89 ^ t90;
    let t94 = t86 ^ t87;
    let t95 = t17 & t88;
    let t96 = t30 & t89;
    let t97 = t4 & t86;
    let t98 = x6 & t91;
    let t99 = t23 & t90;
    let t100 = t26 & t87;
    let t101 = t18 & t92;
    let t102 = t21 & t93;
    let t103 = t25 & t94;
    let t104 = t10 & t88;
    let t105 = t31 & t89;
    let t106 = t5 & t86;
    let t107 = t15 & t91;
    let t108 = t24 & t90;
    let t109 = t13 & t87;
    let t110 = t19 & t92;
    let t111 = t22 & t93;
    let t112 = t8 & t94;
    let t113 = t105 ^ t112;
    let t114 = t100 ^ t104;
    let t115 = t99 ^ t102;
    let t116 = t96 ^ t114;
    let t117 = t97 ^ t107;
    let t118 = t101 ^ t106;
    let t119 = t111 ^ t115;
    let t120 = t110 ^ t113;
    let t121 = t108 ^ t117;
    let t122 = t105 ^ t118;
    let t123 = t95 ^ t99;
    let t124 = t109 ^ t122;
    let t125 = t98 ^ t121;
    let t126 = t110 ^ t116;
    let t127 = t103 ^ t124;
    let t128 = t113 ^ t119;
    let t129 = t118 ^ t119;
    let t130 = t103 ^ t114;
    let t131 = t113 ^ t116;
    let t132 = t106 ^ t123;
    let t133 = t107 ^ t124;
    let t134 = t120 ^ t125;
    let t135 = t97 ^ t126;
    let t136 = t98 ^ t133;
    let t137 = t125 ^ t132;
    let t138 = t111 ^ t131;
    let t139 = t115 ^ t136;
    let t140 = t129 ^ t135;
    let t141 = t117 ^ t127;
    let t142 = t106 ^ t120;
    let t143 = t104 ^ t137;
    let t144 = t123 ^ t138;
    let t145 = t128 ^ t130;
    let t146 = t116 ^ t134;
    let t147 = t96 ^ t141;
    [t142, t147, t146, t139, t144, t145, t143, t140]
}
