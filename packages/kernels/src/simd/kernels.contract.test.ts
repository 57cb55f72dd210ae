import { kernelsContract } from "../testing/kernels.contract.js";
import { simdBackend } from "./kernels.js";

kernelsContract(simdBackend);
