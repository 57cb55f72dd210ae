import { kernelsContract } from "../testing/kernels.contract.js";
import { referenceBackend } from "./kernels.js";

kernelsContract(referenceBackend);
