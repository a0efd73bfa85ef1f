export { networkOf } from '@hooligram/service';
